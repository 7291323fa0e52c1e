//! What HAProxy sends comes through the API as it is, whatever its version has that Sluice does not know.

use std::collections::BTreeSet;

use lab::Haproxy;
use serde_json::Value;
use server::web;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{Behind, Version, versions};
use crate::{
    PATIENCE,
    harness::{raw, sluice::Sluice},
};

/// Of each row: its name, and the columns that are not empty.
type Rows = Vec<(String, BTreeSet<String>)>;

async fn asked(address: &str) -> Rows {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET /api/v1/stats HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let text = String::from_utf8(answer).expect("text");
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    let value: Value = serde_json::from_str(body).expect("JSON");
    let rows = value["nodes"][0]["rows"].as_array().expect("rows").iter();
    let row = |row: &Value| {
        let cells = row.as_object().expect("an object");
        let name = |key: &str| cells[key].as_str().expect(key).to_owned();
        (format!("{}/{}", name("pxname"), name("svname")), cells.keys().cloned().collect())
    };
    rows.map(row).collect()
}

/// The columns of the reply, and its rows.
fn sent(reply: &str) -> (Vec<String>, Rows) {
    let mut reader = csv::ReaderBuilder::new().from_reader(reply.trim_start_matches("# ").as_bytes());
    let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let row = |record: csv::StringRecord| {
        let filled = header.iter().zip(&record).filter(|(name, cell)| !cell.is_empty() && *name != "-");
        (format!("{}/{}", &record[0], &record[1]), filled.map(|(name, _)| name.clone()).collect())
    };
    let rows = reader.records().map(|record| row(record.expect("a row"))).collect();
    (header, rows)
}

#[tokio::test]
async fn every_column_of_every_version_comes_through() {
    let behind = Behind::start().await;
    for (Version { branch, columns, new }, program) in versions() {
        let Some(haproxy) = Haproxy::builder().program(program).start(&behind.proxies()).await else { return };
        let sluice = Sluice::watching(&[("lb1", "edge", &haproxy.admin())]).await;
        sluice.until_status("lb1/be/s1", "UP").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let shutdown = CancellationToken::new();
        let state = sluice.state(true, shutdown.clone());
        let served = tokio::spawn(web::run(listener, state));

        // The two are read at different moments: a cell may have been filled in between.
        let began = Instant::now();
        let (header, rows, told) = loop {
            let told = asked(&address).await;
            let (header, rows) = sent(&raw::ask(&haproxy.admin(), "show stat").await);
            if rows == told || began.elapsed() > PATIENCE {
                break (header, rows, told);
            }
            sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(told, rows, "{branch}");
        // The last one has no name: each line ends with a comma.
        assert_eq!(header.len() - 1, columns, "{branch}: {header:?}");
        for name in new {
            assert!(header.iter().any(|h| h == name), "{branch}: HAProxy has no {name}: {header:?}");
            assert!(told.iter().any(|(_, cells)| cells.contains(*name)), "{branch}: {name} does not come through");
        }
        eprintln!("HAProxy {branch}: {columns} columns, {} rows as they are", rows.len());
        shutdown.cancel();
        served.await.expect("it ends").expect("in order");
    }
}
