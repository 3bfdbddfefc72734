//! The bare rival of the webhook: axum, one redb writer with group commit, a key to refuse doubles.
//! It verifies nothing and decides nothing.

use std::path::Path;
use std::sync::mpsc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use redb::{Database, ReadableTable, TableDefinition};
use tokio::sync::oneshot;

const INBOX: TableDefinition<&str, &[u8]> = TableDefinition::new("inbox");

type Job = (String, Bytes, oneshot::Sender<()>);

/// Serves on a free port of loopback until the process is killed; prints its address.
pub fn serve(data: &Path) {
    let database = Database::create(data).unwrap();
    let (sender, receiver) = mpsc::channel::<Job>();
    std::thread::spawn(move || write(&database, &receiver));

    let runtime = tokio::runtime::Runtime::new();
    runtime.unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/hooks/crm", post(hook)).with_state(sender);
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            stream.set_nodelay(true).unwrap();
        });
        axum::serve(listener, app).await.unwrap();
    });
}

async fn hook(
    State(jobs): State<mpsc::Sender<Job>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    let (done, wait) = oneshot::channel();
    jobs.send((id, body, done)).unwrap();
    wait.await.unwrap();
    StatusCode::ACCEPTED
}

fn write(database: &Database, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(511)).collect();
        let mut transaction = database.begin_write().unwrap();
        transaction.set_quick_repair(true);
        {
            let mut inbox = transaction.open_table(INBOX).unwrap();
            for (id, body, _) in &group {
                if inbox.get(id.as_str()).unwrap().is_none() {
                    inbox.insert(id.as_str(), body.as_ref()).unwrap();
                }
            }
        }
        transaction.commit().unwrap();
        for (_, _, done) in group {
            let _ = done.send(());
        }
    }
}
