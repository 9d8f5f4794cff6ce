# frozen_string_literal: true

# The handler that Podio's documentation suggests: a case on `type`, validating hook.verify itself,
# on nothing but Ruby's own library. Prints its port, then one JSON line a webhook.

require 'json'
require 'net/http'
require 'socket'
require 'uri'

def say(object)
  $stdout.puts(JSON.generate(object))
  $stdout.flush
end

# Asks Podio, and gives the status of its answer.
def validate(hook_id, code)
  uri = URI("#{ENV.fetch('API_URL')}/hook/#{hook_id}/verify/validate")
  answer = Net::HTTP.post(uri, JSON.generate(code: code), 'Content-Type' => 'application/json')
  answer.code.to_i
end

def handle(params)
  case params['type']
  when 'hook.verify'
    say(validated: params['hook_id'], status: validate(params['hook_id'], params['code']))
  when 'item.create', 'item.update', 'item.delete'
    say(type: params['type'], id: params['item_id'], revision: params['item_revision_id'])
  when 'comment.create'
    say(type: params['type'], id: params['comment_id'], item: params['item_id'])
  else
    say(unknown: params)
    return 400
  end
  200
end

# The body of one request.
def read(client)
  length = 0
  while (line = client.gets) && line.strip != ''
    name, value = line.split(':', 2)
    length = value.to_i if name.casecmp('content-length').zero?
  end
  client.read(length)
end

server = TCPServer.new('127.0.0.1', 0)
say(port: server.addr[1])
loop do
  Thread.new(server.accept) do |client|
    status = handle(URI.decode_www_form(read(client)).to_h)
    client.write("HTTP/1.1 #{status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    client.close
  end
end
