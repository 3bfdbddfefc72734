//! Black-box tests: the real binary, real files, a real server on loopback.

mod administrator;
mod authors;
mod bad_input;
mod beginners;
mod bundles;
mod cases;
mod changes;
mod check;
mod company;
mod crm;
mod dependencies;
mod directory;
mod oracle;
mod payees;
mod policies;
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
mod worth;
