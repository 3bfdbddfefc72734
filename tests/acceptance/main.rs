//! Black-box tests: the real binary, real files, a real server on loopback.

mod administrator;
mod authors;
mod bad_input;
mod bundles;
mod cases;
mod changes;
mod check;
mod company;
mod crm;
mod oracle;
mod payees;
mod release;
mod restart;
mod results;
mod seeds;
mod server;
mod swap;
mod tidy;
mod verbs;
mod walkthrough;
mod watch;
