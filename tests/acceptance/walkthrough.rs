//! The walk-through and the tutorial of `scripts/`, run as they stand there: what they show is what
//! happens.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::server::{TOKEN, binary, root};

/// Ends the server of the walk-through, whatever becomes of the test.
struct Background(Vec<Child>);

impl Drop for Background {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Already ended is as good as ended now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The commands of the blocks marked `console`, each with what is shown below it.
fn commands(text: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (inside, line.strip_prefix("$ ")) {
            (false, _) => inside = line == "```console",
            (true, _) if line == "```" => inside = false,
            (true, Some(command)) => commands.push((command.to_owned(), String::new())),
            (true, None) => {
                let (command, shown) = commands.last_mut().expect("output before a command");
                // A command that ends in a backslash goes on.
                if let Some(begun) = command.strip_suffix('\\') {
                    *command = format!("{begun}{}", line.trim_start());
                } else {
                    shown.push_str(&format!("{}\n", line.trim_end()));
                }
            }
        }
    }
    commands
}

/// Without what differs from run to run: ids, hashes and ports.
fn settled(text: &str) -> String {
    let is_hex = |word: &str| word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut settled = String::new();
    let mut word = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        settled.push_str(if is_hex(&word) { "…" } else { &word });
        word.clear();
        settled.push(letter);
    }
    settled
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect::<String>()
        .trim_end()
        .to_owned()
}

fn shell(dir: &Path, command: &str) -> Command {
    let mut path = binary().parent().unwrap().to_owned().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(command).current_dir(dir).env("PATH", path).env("ACCREDIT_TOKEN", TOKEN);
    shell.stdin(Stdio::null());
    shell
}

/// Runs the commands of a document in an empty folder, and compares what they show.
#[track_caller]
fn follow(path: &str, count: usize) {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let commands = commands(&text);
    assert_eq!(commands.len(), count, "{path}: how many commands there are");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let dir = tempfile::tempdir().unwrap();
    let mut background = Background(Vec::new());
    for (command, shown) in commands {
        let real = command.replace("8080", &port);
        if let Some(server) = real.strip_suffix('&') {
            let server = format!("exec {}", server.trim());
            background.0.push(shell(dir.path(), &server).spawn().unwrap());
            continue;
        }
        let output = shell(dir.path(), &format!("{{ {real}; }} 2>&1")).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap().replace(&port, "8080");
        assert!(output.status.success(), "{path}: $ {command}\n{said}");
        assert_eq!(settled(&said), settled(&shown), "{path}: $ {command}");
    }
}

#[test]
fn the_walk_through_shows_what_happens() {
    follow("scripts/walkthrough.md", 10);
}

#[test]
fn the_tutorial_of_rewards_shows_what_happens() {
    follow("scripts/tutorial-rewards.md", 22);
}
