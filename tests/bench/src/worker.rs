//! A side of the decision in a process of its own: it loads the company, then answers line by line.
//!
//! The questions are `decide THREADS`, `prove` and `clear`; each is answered with one line.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::proof::Proof;
use crate::rounds::{self, Spent};
use crate::settings;

/// What a worker is asked.
#[derive(Debug, Clone, Copy)]
pub enum Question {
    /// To decide all deals on so many threads, and to keep the credits.
    Decide(usize),
    /// For the proof of the credits.
    Prove,
    /// To forget the credits.
    Clear,
}

/// How a question is written so that its answer is one line.
pub type Wording = fn(Question) -> String;

/// A process that answers.
pub struct Worker {
    name: &'static str,
    child: Child,
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
    wording: Wording,
    /// Whether a server does the work, whose processor time is not known.
    is_client: bool,
}

impl Worker {
    /// Starts a worker that says `ready` when it has loaded its data.
    pub fn start(name: &'static str, command: &mut Command, wording: Wording) -> Worker {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Worker { name, child, input, lines, wording, is_client: false }
    }

    /// Starts this program as the worker `side` over `folder`.
    pub fn of_this_program(side: &'static str, folder: &Path) -> Worker {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["worker", side]).arg(folder);
        let mut worker = Worker::start(side, &mut command, plain_words);
        worker.wait_ready();
        worker
    }

    /// The same worker as a client of a server that does the work.
    pub fn as_client(mut self) -> Worker {
        self.is_client = true;
        self
    }

    /// Waits until the data is loaded.
    pub fn wait_ready(&mut self) {
        let line = self.next_line();
        assert_eq!(line, "ready", "{}", self.name);
    }

    /// Sends text as it is.
    pub fn send(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{text}").unwrap();
        input.flush().unwrap();
    }

    fn next_line(&mut self) -> String {
        let line = self.lines.next();
        line.unwrap_or_else(|| panic!("{} ended before it answered", self.name)).unwrap()
    }

    fn ask(&mut self, question: Question) -> String {
        self.send(&(self.wording)(question));
        self.next_line()
    }

    /// Decides all deals on `threads` threads; what is timed leaves out that former credits are freed.
    pub fn decide(&mut self, threads: usize) -> Spent {
        self.ask(Question::Clear);
        let own = Some(self.child.id()).filter(|_| !self.is_client);
        let cpu = || own.and_then(settings::cpu_of);
        rounds::time_with_cpu(cpu, || {
            assert_eq!(self.ask(Question::Decide(threads)), "done", "{}", self.name);
        })
    }

    /// The proof of the credits.
    pub fn prove(&mut self) -> Proof {
        let answer = self.ask(Question::Prove);
        answer.parse().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The most memory that it has had, in bytes.
    pub fn peak_memory(&self) -> u64 {
        settings::peak_memory(self.child.id())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Its input ends, so it ends.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// The questions as they are written to workers of this benchmark.
pub fn plain_words(question: Question) -> String {
    match question {
        Question::Decide(threads) => format!("decide {threads}"),
        Question::Prove => "prove".to_owned(),
        Question::Clear => "clear".to_owned(),
    }
}

/// What a worker does for each question.
pub trait Decide {
    /// Decides all deals on `threads` threads and keeps the credits.
    fn decide(&mut self, threads: usize);
    /// The proof of the credits.
    fn prove(&self) -> Proof;
    /// Forgets the credits.
    fn clear(&mut self);
}

/// Runs this program as a worker or a writer, if the arguments say so.
pub fn serve_command(arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["worker", "native", folder] => {
            answer(&mut crate::native_pipeline::Native::load(Path::new(folder)));
        }
        ["worker", "accredit", folder] => {
            crate::engine_pipeline::with_engine(Path::new(folder), answer)
        }
        ["write", folder, file, threads] => {
            let threads = threads.parse().unwrap();
            crate::native_pipeline::write_rows(Path::new(folder), Path::new(file), threads);
        }
        ["bare", data] => crate::bare::serve(Path::new(data)),
        _ => return false,
    }
    true
}

/// Answers each line of standard input until it ends.
fn answer(side: &mut dyn Decide) {
    println!("ready");
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        match line.split_once(' ') {
            Some(("decide", threads)) => {
                side.decide(threads.parse().unwrap());
                println!("done");
            }
            _ if line == "prove" => println!("{}", side.prove().line()),
            _ => {
                side.clear();
                println!("done");
            }
        }
    }
}
