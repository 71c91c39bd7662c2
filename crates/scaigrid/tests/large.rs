//! Large bodies in both directions pass through little memory. A program of its own, because it looks at the memory of the
//! whole process: no other test may spoil it.
//!
//! `SCAIGRID_TEST_LARGE_MIB` sets the size; 1024 is what the documentation promises for.
#![cfg(any(feature = "async", feature = "blocking"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that tells what it has measured"
)]

use scaigrid::{ExportFormat, ExportUsage, GenericClientBuilder, Upload, UploadDocument};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

const MIB: u64 = 1024 * 1024;
const MOST_RESIDENT: u64 = 64 * MIB;

fn size() -> u64 {
    let size = std::env::var("SCAIGRID_TEST_LARGE_MIB").ok().and_then(|text| text.parse().ok());
    size.unwrap_or(192_u64) * MIB
}

/// The most memory that the process has had at once, in bytes. `None` where the system does not tell.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024)
}

/// Reads whole requests and says how large their bodies were, or sends a file of `size` bytes.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || drop(exchange(stream.unwrap())));
        }
    });
    address
}

fn exchange(mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let mut buffer = vec![0; 64 * 1024];
    if head.starts_with("get ") {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: {}\r\n\r\n", size())?;
        let mut left = size();
        while left > 0 {
            let most = buffer.len().min(left as usize);
            stream.write_all(&buffer[..most])?;
            left -= most as u64;
        }
        return Ok(());
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map(|n| n.parse::<u64>().unwrap());
    let mut received = 0;
    let mut tail = Vec::new();
    while length.is_none_or(|length| received < length) && !(length.is_none() && tail.ends_with(b"0\r\n\r\n"))
    {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        received += read as u64;
        tail = buffer[read.saturating_sub(8)..read].to_vec();
    }
    let body = format!(r#"{{"data":{{"id":"doc_1","status":"pending","received":{received}}}}}"#);
    write!(
        stream,
        "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn builder<C>(builder: GenericClientBuilder<C>, address: SocketAddr) -> GenericClientBuilder<C> {
    builder.api_key("sgk_test").base_url(format!("http://{address}")).timeout(Duration::from_secs(300))
}

/// From a reader with and without a length, and from a file.
fn uploads(file: &std::path::Path) -> [Upload; 3] {
    let zeros = || std::io::repeat(0).take(size());
    [
        Upload::reader("zeros.bin", zeros(), size()),
        Upload::reader("zeros.bin", zeros(), None),
        Upload::file(file),
    ]
}

fn check(document: &scaigrid::Document) {
    let received = document.extra["received"].as_u64().unwrap();
    assert!(received > size() && received < size() + 8 * MIB, "{received}");
}

#[test]
fn a_large_body_is_never_in_memory_as_a_whole() {
    let Some(before) = peak() else { return };
    let address = serve();
    let folder = std::env::temp_dir().join(format!("scaigrid-large-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (source, target) = (folder.join("source.bin"), folder.join("target.csv"));
    // Sparse: it takes no room.
    std::fs::File::create(&source).unwrap().set_len(size()).unwrap();
    let export = ExportUsage::new().format(ExportFormat::Csv);

    #[cfg(feature = "blocking")]
    {
        let client = builder(scaigrid::blocking::Client::builder(), address).build().unwrap();
        for upload in uploads(&source) {
            check(&client.upload_document(&UploadDocument::new("c", upload)).unwrap());
        }
        assert_eq!(client.export_usage(&export).unwrap().save(&target).unwrap(), size());
        assert_eq!(std::fs::metadata(&target).unwrap().len(), size());
    }
    #[cfg(feature = "async")]
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let client = builder(scaigrid::Client::builder(), address).build().unwrap();
        for upload in uploads(&source) {
            check(&client.upload_document(&UploadDocument::new("c", upload)).await.unwrap());
        }
        assert_eq!(client.export_usage(&export).await.unwrap().save(&target).await.unwrap(), size());
        assert_eq!(std::fs::metadata(&target).unwrap().len(), size());
    });

    std::fs::remove_dir_all(&folder).unwrap();
    let peak = peak().unwrap();
    println!("{} MiB each way: peak {} KiB, before {} KiB", size() / MIB, peak / 1024, before / 1024);
    assert!(peak < MOST_RESIDENT, "{} MiB resident", peak / MIB);
}
