//! Messages of the protocol: a header with a length, then JSON.
//!
//! Not their meaning (`session`). Messages are read as plain JSON first: types that are one of several
//! cannot be read from text, since this build keeps every digit of a number.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// Bytes of a message: more than any file that is typed by hand.
const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// Bytes of a line of a header.
const HEADER_BYTES_MAX: u64 = 4096;

/// A message from the editor.
#[derive(Debug)]
pub(crate) enum ClientMessage {
    /// A request, which is answered under its id.
    Request { id: Value, method: String, params: Value },
    /// A notification, which is not answered.
    Notification { method: String, params: Value },
    /// An answer to a request of the server.
    Answer,
    /// JSON that is no message, with why it is none.
    Broken(String),
}

/// The next message; none at the end.
///
/// # Errors
/// When what is read has no header of the protocol: nothing behind it can be read.
pub(crate) fn read_message(input: &mut impl BufRead) -> io::Result<Option<ClientMessage>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if io::Read::take(&mut *input, HEADER_BYTES_MAX).read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }

    let wrong = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message.to_owned());
    let length = length.ok_or_else(|| wrong("a message has no `Content-Length`"))?;
    if length > MESSAGE_BYTES_MAX {
        return Err(wrong("a message is too long"));
    }

    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(match serde_json::from_slice(&body) {
        Ok(json) => message_of(json),
        Err(error) => ClientMessage::Broken(error.to_string()),
    }))
}

fn message_of(mut json: Value) -> ClientMessage {
    let mut part = |key: &str| json.get_mut(key).map(Value::take);
    let (id, method) = (part("id"), part("method"));
    let params = part("params").unwrap_or_default();
    match (id, method) {
        (Some(id), Some(Value::String(method))) => ClientMessage::Request { id, method, params },
        (None, Some(Value::String(method))) => ClientMessage::Notification { method, params },
        (Some(_), None) => ClientMessage::Answer,
        _ => ClientMessage::Broken("a message has neither `method` nor `id`".to_owned()),
    }
}

/// Codes of JSON-RPC and of the protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FailureCode {
    /// The text is no JSON.
    Parse = -32700,
    /// The server is not in a state to answer.
    InvalidRequest = -32600,
    /// No such method.
    MethodNotFound = -32601,
    /// The parameters are not those of the method.
    InvalidParams = -32602,
    /// A request came before `initialize`.
    NotInitialized = -32002,
}

/// Where messages to the editor go.
pub(crate) struct MessageWriter<W> {
    output: W,
}

impl<W: Write> MessageWriter<W> {
    /// Messages into `output`.
    pub(crate) fn new(output: W) -> Self {
        MessageWriter { output }
    }

    /// Answers a request.
    pub(crate) fn answer(&mut self, id: &Value, result: Value) -> io::Result<()> {
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    /// Answers a request that failed.
    pub(crate) fn refuse(
        &mut self,
        id: &Value,
        code: FailureCode,
        message: &str,
    ) -> io::Result<()> {
        let error = json!({ "code": code as i32, "message": message });
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }

    /// Tells the editor something.
    pub(crate) fn notify(&mut self, method: &str, params: Value) -> io::Result<()> {
        self.write(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
    }

    fn write(&mut self, message: &Value) -> io::Result<()> {
        let body = message.to_string();
        write!(self.output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_one_after_the_other() {
        let frame = |body: &str| format!("Content-Length: {}\r\n\r\n{body}", body.len());
        let text = frame(r#"{"id":7,"method":"a","params":{"x":"ä"}}"#)
            + &frame("{")
            + &frame(r#"{"method":"b"}"#)
            + "\r\n";
        let mut input = text.as_bytes();
        let first = read_message(&mut input).unwrap().unwrap();
        assert!(
            matches!(&first, ClientMessage::Request { id, .. } if *id == json!(7)),
            "{first:?}"
        );
        assert!(matches!(read_message(&mut input).unwrap(), Some(ClientMessage::Broken(_))));
        let third = read_message(&mut input).unwrap().unwrap();
        assert!(matches!(&third, ClientMessage::Notification { method, .. } if method == "b"));
        assert!(read_message(&mut input).is_err(), "a header without a length");
        assert!(read_message(&mut input).unwrap().is_none());
    }
}
