<?php
// Plays a developer with podio-php: requests shaped as that client makes them, in the order of
// tests/e2e/judges.rs. Prints one JSON line a step; a check that fails ends it.

const REDIRECT = 'http://localhost:9/done';
const BJORN = 8123457;

$api = getenv('API_URL');
$app = (int) getenv('APP_ID');

class Answer
{
    public function __construct(public int $status, public mixed $body, public string $raw, public array $headers)
    {
    }
}

/**
 * As podio-php has it: a form for tokens, JSON for POST and PUT (`[]` where there is nothing to say), a
 * form's content type for GET and DELETE, and a call that met an expired token made once more.
 */
class Client
{
    public array $tokens = [];
    public ?string $access_token = null;

    public function grant(array $fields): Answer
    {
        $client = ['client_id' => getenv('CLIENT_ID'), 'client_secret' => getenv('CLIENT_SECRET')];
        $form = http_build_query($fields + $client);
        $answer = $this->send('POST', '/oauth/token', 'application/x-www-form-urlencoded', $form);
        if ($answer->status === 200) {
            $this->tokens = $answer->body;
            $this->access_token = $answer->body['access_token'];
        }
        return $answer;
    }

    public function refresh(): void
    {
        $this->grant(['grant_type' => 'refresh_token', 'refresh_token' => $this->tokens['refresh_token']]);
    }

    public function call(string $method, string $path, array $attributes = []): Answer
    {
        if ($method === 'GET' || $method === 'DELETE') {
            $url = $attributes ? $path . '?' . http_build_query($attributes) : $path;
            $answer = $this->send($method, $url, 'application/x-www-form-urlencoded', '');
        } else {
            $answer = $this->send($method, $path, 'application/json', json_encode($attributes));
        }
        if ($answer->status === 401 && $answer->body['error_description'] === 'expired_token') {
            $this->refresh();
            return $this->call($method, $path, $attributes);
        }
        return $answer;
    }

    public function good(string $method, string $path, array $attributes = []): mixed
    {
        $answer = $this->call($method, $path, $attributes);
        if (!in_array($answer->status, [200, 201, 204], true)) {
            throw new Exception("{$method} {$path}: {$answer->status} {$answer->raw}");
        }
        return $answer->body;
    }

    /** As Guzzle's multipart stream: both parts with their lengths. */
    public function upload(string $name, string $bytes): Answer
    {
        $boundary = bin2hex(random_bytes(20));
        $parts = '';
        foreach ([["name=\"source\"; filename=\"{$name}\"", $bytes], ['name="filename"', $name]] as [$head, $content]) {
            $length = strlen($content);
            $parts .= "--{$boundary}\r\nContent-Disposition: form-data; {$head}\r\nContent-Length: {$length}\r\n\r\n{$content}\r\n";
        }
        $type = "multipart/form-data; boundary={$boundary}";
        return $this->send('POST', '/file/', $type, "{$parts}--{$boundary}--\r\n");
    }

    public function send(string $method, string $url, string $type, string $body): Answer
    {
        $headers = ["Content-type: {$type}", 'Content-length: ' . strlen($body), 'Accept: application/json', 'User-Agent: Podio PHP Client/7'];
        if ($this->access_token !== null && $url !== '/oauth/token') {
            $headers[] = "Authorization: OAuth2 {$this->access_token}";
        }
        $http = ['method' => $method, 'header' => $headers, 'content' => $body, 'ignore_errors' => true, 'follow_location' => 0, 'timeout' => 60];
        $raw = file_get_contents($GLOBALS['api'] . $url, false, stream_context_create(['http' => $http]));
        $status = (int) explode(' ', $http_response_header[0])[1];
        return new Answer($status, json_decode($raw, true), $raw, $http_response_header);
    }
}

function say(array $step): void
{
    echo json_encode($step, JSON_UNESCAPED_UNICODE), "\n";
}

/** The code that Podio's page sends back with the redirect. */
function code(Client $podio): string
{
    $query = http_build_query(['response_type' => 'code', 'client_id' => getenv('CLIENT_ID'), 'redirect_uri' => REDIRECT]);
    $page = $podio->send('GET', "/oauth/authorize?{$query}", 'application/x-www-form-urlencoded', '');
    foreach ($page->headers as $header) {
        if (stripos($header, 'location:') === 0) {
            parse_str(parse_url(trim(substr($header, 9)), PHP_URL_QUERY), $landed);
            return $landed['code'];
        }
    }
    throw new Exception("no redirect: {$page->raw}");
}

/** The code of the next `hook.verify` that comes to this socket. */
function verification($server): string
{
    $socket = stream_socket_accept($server, 60);
    $length = 0;
    while (($line = fgets($socket)) !== false && $line !== "\r\n") {
        if (stripos($line, 'content-length:') === 0) {
            $length = (int) substr($line, 15);
        }
    }
    parse_str(stream_get_contents($socket, $length), $form);
    fwrite($socket, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    fclose($socket);
    if ($form['type'] !== 'hook.verify') {
        throw new Exception(json_encode($form));
    }
    return $form['code'];
}

$podio = new Client();
$ada = ['grant_type' => 'password', 'username' => 'ada@example.com', 'password' => 'sandbox'];
$wrong = $podio->grant(['password' => 'wrong'] + $ada);
$who = [];
$podio->grant(['grant_type' => 'app', 'app_id' => $app, 'app_token' => getenv('APP_TOKEN')]);
$who['app'] = $podio->tokens['ref']['type'];
$podio->grant(['grant_type' => 'authorization_code', 'code' => code($podio), 'redirect_uri' => REDIRECT]);
$who['code'] = $podio->tokens['ref']['type'];
$podio->grant($ada);
$who['password'] = $podio->tokens['ref']['type'];
$podio->refresh();
$who['refresh'] = $podio->tokens['ref']['type'];
say(['step' => 'login'] + $who);
say(['step' => 'wrong password', 'status' => $wrong->status, 'error' => $wrong->body['error']]);
$podio->access_token = 'expired';
$mail = $podio->good('GET', '/user/status')['user']['mail'];
say(['step' => 'expired token', 'mail' => $mail, 'refreshed' => $podio->access_token !== 'expired']);

$server = stream_socket_server('tcp://127.0.0.1:0');
$url = 'http://' . stream_socket_get_name($server, false) . '/hook';
$hook = $podio->good('POST', "/hook/app/{$app}/", ['url' => $url, 'type' => 'item.update'])['hook_id'];
$status = fn () => array_column($podio->good('GET', "/hook/app/{$app}/"), 'status');
$created = $status();
verification($server);
$podio->good('POST', "/hook/{$hook}/verify/request");
$code = verification($server);
$refused = $podio->call('POST', "/hook/{$hook}/verify/validate", ['code' => '00000000']);
$podio->good('POST', "/hook/{$hook}/verify/validate", ['code' => $code]);
$validated = $status();
$podio->good('DELETE', "/hook/{$hook}");
$again = $podio->call('DELETE', "/hook/{$hook}");
say(['step' => 'hook', 'created' => $created, 'wrong' => $refused->status, 'validated' => $validated, 'left' => $status(), 'again' => $again->status]);

$fields = ['title' => 'Desk', 'status' => 1, 'due' => ['start' => '2026-11-23 14:30:00']];
$item = $podio->good('POST', "/item/app/{$app}/", ['fields' => $fields, 'external_id' => 'desk 1']);
$id = $item['item_id'];
$basic = $podio->good('GET', "/item/{$id}/basic")['title'];
$quiet = $podio->good('PUT', "/item/{$id}?silent=1&hook=false", ['fields' => ['status' => 5]])['revision'];
$stale = $podio->call('PUT', "/item/{$id}", ['fields' => ['title' => 'x'], 'revision' => 0]);
$podio->good('PUT', "/item/{$id}/value/title", ['value' => 'Oak desk']);
$title = $podio->good('GET', "/item/{$id}")['title'];
$copy = $podio->good('POST', "/item/{$id}/clone")['item_id'];
$podio->good('DELETE', "/item/{$copy}");
$gone = $podio->call('GET', "/item/{$copy}");
$reverted = $podio->good('DELETE', "/item/{$id}/revision/2")['revision'];
say(['step' => 'item', 'basic' => $basic, 'quiet' => $quiet, 'stale' => $stale->status, 'title' => $title, 'gone' => $gone->status, 'reverted' => $reverted]);
$numbers = array_column($podio->good('GET', "/item/{$id}/revision/"), 'revision');
$changed = array_column($podio->good('GET', "/item/{$id}/revision/0/1"), 'external_id');
say(['step' => 'revisions', 'numbers' => $numbers, 'changed' => $changed]);
// `PodioDateItemField::start` is made of these, and is false where they are missing.
$due = $podio->good('GET', "/item/{$id}/value/due")[0];
$start = DateTime::createFromFormat('Y-m-d H:i:s', "{$due['start_date_utc']} {$due['start_time_utc']}", new DateTimeZone('UTC'));
say(['step' => 'date', 'start' => $start->format('Y-m-d H:i:s'), 'day' => $due['start_date_utc'], 'time' => $due['start_time_utc'], 'end' => $due['end']]);
$found = $podio->good('POST', "/item/app/{$app}/filter/", ['filters' => ['status' => [5]], 'limit' => 10]);
say(['step' => 'filter', 'found' => $found['filtered'], 'title' => $found['items'][0]['title']]);

$comment = $podio->good('POST', "/comment/item/{$id}/", ['value' => 'Grüße & Küsse'])['comment_id'];
$podio->good('PUT', "/comment/{$comment}", ['value' => 'Done']);
$values = array_column($podio->good('GET', "/comment/item/{$id}/", ['limit' => 10]), 'value');
$one = $podio->good('GET', "/comment/{$comment}")['ref']['id'] === $id;
$podio->good('DELETE', "/comment/{$comment}");
say(['step' => 'comment', 'values' => $values, 'one' => $one, 'left' => $podio->good('GET', "/comment/item/{$id}/")]);

$task = $podio->good('POST', "/task/item/{$id}/?hook=false", ['text' => 'Call', 'labels' => ['phone']])['task_id'];
// The client makes a task of the answer: one that is empty is an error to it.
$updated = $podio->good('PUT', "/task/{$task}", ['text' => 'Ring'])['text'];
$podio->good('POST', "/task/{$task}/assign", ['responsible' => BJORN]);
$podio->good('PUT', "/task/{$task}/label/", ['phone', 'today']);
$podio->good('POST', "/task/{$task}/complete");
$shown = $podio->good('GET', "/task/{$task}");
$listed = count($podio->good('GET', '/task/', ['completed' => 'true', 'limit' => 5]));
$labels = array_column($podio->good('GET', '/task/label/'), 'text');
$total = $podio->good('GET', '/task/total')['own']['total'];
say(['step' => 'task', 'updated' => $updated, 'for' => $shown['responsible']['name'], 'status' => $shown['status'], 'listed' => $listed, 'labels' => $labels, 'total' => $total]);

$bytes = "%PDF\x00\xFF\r\n";
$file = $podio->upload('a b.pdf', $bytes);
if ($file->status !== 200) {
    throw new Exception($file->raw);
}
$podio->good('POST', "/file/{$file->body['file_id']}/attach", ['ref_type' => 'item', 'ref_id' => $id]);
$raw = $podio->call('GET', "/file/{$file->body['file_id']}/raw")->raw;
$linked = $podio->call('GET', parse_url($file->body['link'], PHP_URL_PATH))->raw;
say(['step' => 'file', 'name' => $file->body['name'], 'size' => $file->body['size'], 'raw' => $raw === $bytes, 'linked' => $linked === $bytes]);

$org = $podio->good('GET', '/org/')[0]['org_id'];
$space = $podio->good('GET', "/space/org/{$org}/")[0]['space_id'];
$members = $podio->good('GET', "/space/{$space}/member/", ['limit' => 2, 'offset' => 1]);
say([
    'step' => 'places',
    'user' => $podio->good('GET', '/user/')['mail'],
    'profile' => $podio->good('GET', '/user/profile/')['name'],
    'spaces' => count($podio->good('GET', "/org/{$org}/space/")),
    'apps' => count($podio->good('GET', '/app/', ['limit' => 2])),
    'members' => array_map(fn ($member) => $member['profile']['name'], $members),
    'contacts' => count($podio->good('GET', '/contact/')),
]);

$field = $podio->good('POST', "/app/{$app}/field/", ['type' => 'text', 'config' => ['label' => 'Colour']])['field_id'];
$podio->good('PUT', "/app/{$app}/field/{$field}", ['label' => 'Oil']);
$label = $podio->good('GET', "/app/{$app}/field/{$field}")['label'];
$podio->good('DELETE', "/app/{$app}/field/{$field}");
$left = $podio->call('GET', "/app/{$app}/field/{$field}")->status;
$form = $podio->good('POST', "/form/app/{$app}/", ['settings' => ['captcha' => false]])['form_id'];
$podio->good('POST', "/form/{$form}/deactivate");
$off = $podio->good('GET', "/form/app/{$app}/")[0]['status'];
$podio->good('POST', "/form/{$form}/activate");
$on = $podio->good('GET', "/form/app/{$app}/")[0]['status'];
say(['step' => 'app', 'label' => $label, 'left' => $left, 'forms' => [$off, $on]]);

$podio->good('POST', "/tag/item/{$id}/", ['a', 'b']);
$podio->good('PUT', "/tag/item/{$id}/", ['b', 'c']);
$counted = $podio->good('GET', "/tag/app/{$app}/", ['limit' => 1, 'text' => 'c']);
say(['step' => 'tags', 'tags' => $podio->good('GET', "/tag/item/{$id}/"), 'counted' => $counted]);

$types = array_column($podio->good('GET', "/app/{$app}")['fields'], 'field_id', 'type');
$target = $podio->good('GET', '/item/app/30682990/')['items'][0]['item_id'];
$podio->good('PUT', "/item/{$id}/value/{$types['app']}", [['value' => $target]]);
$number = $podio->good('GET', "/app/{$app}/item/{$item['app_item_id']}")['item_id'] === $id;
$external = $podio->good('GET', "/item/app/{$app}/external_id/desk%201")['item_id'] === $id;
$count = $podio->good('GET', "/item/app/{$app}/count/")['count'];
$items = $podio->good('GET', "/item/{$target}/reference/")[0]['items'];
$references = array_map(fn ($named) => $named['item_id'] === $id, $items);
$deleted = count($podio->good('POST', "/item/app/{$app}/delete", ['item_ids' => [$id]])['deleted']);
say(['step' => 'found', 'number' => $number, 'external' => $external, 'count' => $count, 'references' => $references, 'deleted' => $deleted, 'batches' => $podio->good('GET', '/batch/')]);
