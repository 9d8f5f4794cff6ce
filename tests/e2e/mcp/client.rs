//! A minimal client of the Model Context Protocol: writes lines and reads lines.

use std::io::Write as _;
use std::process::{ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Process, eventually};

/// A client and its server.
pub(super) struct Client {
    pub(super) process: Process,
    stdin: Option<ChildStdin>,
    asked: u64,
}

/// The result of a tool.
#[derive(Debug)]
pub(super) struct ToolReply {
    pub(super) text: String,
    pub(super) is_error: bool,
}

impl ToolReply {
    /// Returns the server's own words, before the captured text.
    pub(super) fn words(&self) -> &str {
        let words = self.text.split("\n\nBelow, between").next();
        words.unwrap_or_default()
    }

    /// Returns the captured objects between the marks.
    pub(super) fn captured_objects(&self) -> Vec<Value> {
        let Some((_, rest)) = self.text.split_once("<<<captured ") else {
            return Vec::new();
        };
        let (number, rest) = rest.split_once('\n').unwrap();
        let (lines, end) = rest.split_once(&format!("\ncaptured {number}>>>")).unwrap();
        assert_eq!(end, "", "{}", self.text);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Client {
    /// Starts the server and initializes the protocol.
    pub(super) async fn begin(mut command: Command) -> Self {
        command.stdin(Stdio::piped());
        let mut process = Process::spawn(command);
        let stdin = process.take_stdin();
        let mut client = Self {
            process,
            stdin,
            asked: 0,
        };
        let hello = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = client.request("initialize", hello).await;
        assert_eq!(answer["result"]["serverInfo"]["name"], "podtap", "{answer}");
        client.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        client
    }

    pub(super) fn send(&mut self, message: &Value) {
        let stdin = self.stdin.as_mut().unwrap();
        writeln!(stdin, "{message}").unwrap();
        stdin.flush().unwrap();
    }

    /// Sends bytes that are not a message.
    pub(super) fn send_raw(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Closes the server's stdin.
    pub(super) fn hang_up(&mut self) {
        self.stdin = None;
    }

    /// Sends a request without waiting; returns its id.
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> u64 {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Calls a tool without waiting; returns the request's id.
    pub(super) fn begin_call(&mut self, tool: &str, arguments: &Value) -> u64 {
        let call = json!({ "name": tool, "arguments": arguments });
        self.ask("tools/call", &call)
    }

    /// Returns the messages so far; stdout has nothing else.
    pub(super) fn messages(&self) -> Vec<Value> {
        let lines = self.process.stdout();
        let messages = lines.iter().map(|line| {
            let message: Value = serde_json::from_str(line).unwrap();
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            message
        });
        messages.collect()
    }

    /// Waits for the response to a request.
    pub(super) async fn answer(&self, id: u64) -> Value {
        let answer = || {
            let mut messages = self.messages().into_iter();
            messages.rfind(|message| message["id"] == id)
        };
        let state = || self.process.stderr();
        eventually(&format!("the answer to {id}"), answer, state).await
    }

    pub(super) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, &params);
        self.answer(id).await
    }

    /// Waits for the result of a call.
    pub(super) async fn wait_for_reply(&self, id: u64) -> ToolReply {
        let answer = self.answer(id).await;
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str();
        ToolReply {
            text: text.unwrap_or_else(|| panic!("{answer}")).to_owned(),
            is_error: result["isError"] == true,
        }
    }

    /// Calls a tool and returns the result, even an error.
    pub(super) async fn call(&mut self, tool: &str, arguments: Value) -> ToolReply {
        let id = self.begin_call(tool, &arguments);
        self.wait_for_reply(id).await
    }

    /// Calls a tool, which must succeed.
    pub(super) async fn succeed(&mut self, tool: &str, arguments: Value) -> ToolReply {
        let said = self.call(tool, arguments).await;
        assert!(!said.is_error, "{tool}: {}", said.text);
        said
    }
}
