//! Many senders at once, and a stop in the middle: nothing is lost, nothing is done twice.

use secrecy::ExposeSecret;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Host, deal};

#[test]
fn a_storm_of_duplicates_is_credited_once() {
    let host = Host::start();
    let fresh = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..20 {
                    let id = format!("S-{n}");
                    let reply = host.deliver(&format!("msg_{n}"), &deal(&id, "10", ""));
                    assert_eq!(reply.status, 202, "{}", reply.text);
                    assert_eq!(reply.json()["transactions"][0], id);
                    if reply.json()["duplicate"] == false {
                        fresh.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(fresh.load(Ordering::Relaxed), 20);
    host.drained();
    let counts = &host.get("/v1/status")["counts"];
    assert_eq!((&counts["transactions"], &counts["direct"]), (&20.into(), &20.into()));
}

#[test]
fn releases_at_once_have_one_effect() {
    let host = Host::start();
    host.deliver("msg_1", &deal("H-1", "100", ",\"hold\":\"yes\""));
    let id = host.credits("H-1")[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/credits/{id}/release");
    let answers: Vec<_> = std::thread::scope(|scope| {
        let release = || (0..4).map(|_| host.api("POST", &path, &[], "")).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(release)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 32);
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (200, &answers[0].text));
    }
}

#[test]
fn what_was_answered_survives_a_stop() {
    let mut host = Host::start();
    for n in 0..50 {
        assert_eq!(
            host.deliver(&format!("msg_{n}"), &deal(&format!("Q-{n}"), "1", "")).status,
            202
        );
    }
    host.stop();
    host.run();
    assert_eq!(host.get("/v1/status")["pending"], 0, "a stop decides what waits");
    assert_eq!(host.get("/v1/status")["counts"]["direct"], 50);
}

#[test]
fn a_client_that_goes_away_leaves_all_or_nothing() {
    use std::io::Write;
    let host = Host::start();
    let body = deal("G-1", "1", "");
    let secret = host.running().first_secret("crm").unwrap();
    let now_s = crate::server::clock::HostClock::default().now_ms() / 1000;
    let signed = accredit_standard_webhooks::sign_delivery(
        secret.expose_secret(),
        "msg_g",
        now_s,
        body.as_bytes(),
    )
    .unwrap();
    let request = format!(
        "POST /hooks/crm HTTP/1.1\r\nhost: x\r\nwebhook-id: msg_g\r\nwebhook-timestamp: {now_s}\r\n\
         webhook-signature: {signed}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let address = host.running().url.trim_start_matches("http://").to_owned();
    for cut in (1..=request.len()).step_by(7).chain([request.len()]) {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(&request.as_bytes()[..cut]).unwrap();
        // Gone without reading the answer.
        drop(stream);
    }
    assert_eq!(host.deliver("msg_g", &body).status, 202);
    assert_eq!(host.credits("G-1").len(), 1);
    assert_eq!(host.get("/v1/status")["counts"]["transactions"], 1);
}
