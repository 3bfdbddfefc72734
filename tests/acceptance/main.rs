//! Black-box tests: the real binary, real files, a real server on loopback.

mod bad_input;
mod bundles;
mod cases;
mod company;
mod crm;
mod oracle;
mod release;
mod restart;
mod server;
mod swap;
mod tidy;
mod verbs;
mod watch;
