//! A CRM's API on loopback, for as long as the test: each request is kept and answered as the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request as the API got it.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and target, `GET /crm/v8/Deals/1`.
    pub line: String,
    /// Lines of its headers, with names in small letters.
    pub headers: Vec<String>,
    pub body: String,
}

impl Asked {
    /// Whether a header has this value.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.headers.contains(&format!("{name}: {value}"))
    }
}

/// What the API answers: a status, a further header and a body of JSON; none keeps the connection open
/// without a word.
pub type Answer = Option<(u16, &'static str, String)>;

/// An answer without a further header.
pub fn answer(status: u16, body: impl ToString) -> Answer {
    Some((status, "x-vendor: test", body.to_string()))
}

/// An API that runs until the test ends.
pub struct Vendor {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Vendor {
    /// Starts an API; each connection has a thread, so that one which hangs holds up no other.
    pub fn start(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Vendor {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (Arc::clone(&asked), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &seen, &*answers));
            }
        });
        Vendor { url, asked }
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests there were whose line begins so.
    pub fn count(&self, line: &str) -> usize {
        self.asked().iter().filter(|asked| asked.line.starts_with(line)).count()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Asked>>, answers: &dyn Fn(&Asked) -> Answer) {
    let Some(asked) = read_request(&stream) else { return };
    seen.lock().unwrap().push(asked.clone());
    let Some((status, header, body)) = answers(&asked) else {
        // Until the client gives up.
        let _ = stream.read(&mut [0; 1]);
        return;
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         {header}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(text.as_bytes());
}

fn read_request(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<String> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| format!("{}: {}", name.to_ascii_lowercase(), value.trim()))
        .collect();
    let length = headers.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let line = lines.first()?.trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { line, headers, body: String::from_utf8(body).ok()? })
}
