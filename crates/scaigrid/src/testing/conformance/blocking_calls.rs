//! Makes the calls of a scenario, blocking.

use super::Stage;
use super::scenario::{Call, Came, delete, get, hello, upload};
use crate::blocking::{CancelHandle, Client};
use crate::{ChatRequest, Endpoint, Error};
use scaigrid_transport::blocking::Transport;

pub(super) fn make(stage: &Stage, transport: impl Transport + 'static) -> Result<Vec<Came>, Error> {
    let builder = Client::builder().transport(transport).clock(stage.clock.clone());
    let client = stage.scenario.setup.apply(builder, &stage.base_url).build()?;
    Ok(stage.scenario.calls.iter().filter_map(|call| make_one(stage, &client, *call)).collect())
}

fn make_one(stage: &Stage, client: &Client, call: Call) -> Option<Came> {
    if let Some((pieces, is_len_known)) = call.source() {
        let (request, reads) = upload(pieces, is_len_known);
        return Some(send(client, &request).read(&reads));
    }
    let came = match call {
        Call::Pause(time) => {
            crate::clock::wait(time);
            return None;
        }
        Call::AwaitEnd => {
            stage.server.wait_until(|log| log.client_left.is_some() || log.connections == 0);
            return None;
        }
        Call::Get => send(client, &get()),
        Call::Delete => send(client, &delete()),
        Call::Chat => chat(client, &hello(0)),
        Call::LongChat(len) => chat(client, &hello(len)),
        Call::Stream => stream(client).unwrap_or_else(Came::from),
        Call::StreamBegin => {
            let came = stream_begin(client).unwrap_or_else(Came::from);
            wait_for_end(stage, &came);
            came
        }
        Call::GivenUp => {
            let handle = CancelHandle::new();
            let came = std::thread::scope(|scope| {
                scope.spawn(|| {
                    stage.server.wait_until(|log| !log.requests.is_empty());
                    handle.cancel();
                });
                chat(&client.with_cancel_handle(&handle), &hello(0))
            });
            stage.server.wait_until(|log| log.client_left.is_some());
            came
        }
        Call::FileBegin => file_begin(stage, client).unwrap_or_else(Came::from),
        Call::Upload { .. } | Call::LargeUpload { .. } => return None,
    };
    Some(came)
}

/// A server that has sent something knows some time later whether the client has left.
fn wait_for_end(stage: &Stage, came: &Came) {
    if came.result.is_ok() {
        stage.server.wait_until(|log| log.client_left.is_some());
    }
}

fn send<E: Endpoint<Reply = serde_json::Value>>(client: &Client, endpoint: &E) -> Came {
    match client.send(endpoint) {
        Ok(reply) => Came::of_value(&reply),
        Err(error) => error.into(),
    }
}

fn chat(client: &Client, request: &ChatRequest) -> Came {
    match client.chat(request) {
        Ok(reply) => Came::well(reply.text(), reply.attempts(), reply.request_id()),
        Err(error) => error.into(),
    }
}

fn stream(client: &Client) -> Result<Came, Error> {
    let stream = client.chat_stream(&hello(0))?;
    let attempts = stream.attempts();
    let whole = stream.finish()?;
    Ok(Came::well(whole.text(), attempts, None))
}

fn stream_begin(client: &Client) -> Result<Came, Error> {
    let mut stream = client.chat_stream(&hello(0))?;
    let chunk = stream.next().transpose()?;
    let text = chunk.map(|chunk| chunk.text().to_owned()).unwrap_or_default();
    Ok(Came::well(text, stream.attempts(), None))
}

fn file_begin(stage: &Stage, client: &Client) -> Result<Came, Error> {
    let mut file = client.download(&get())?;
    let piece = file.next().transpose()?;
    stage.server.wait_until(|log| log.flooded.is_some());
    Ok(Came::well(format!("{} bytes", piece.map_or(0, |piece| piece.len())), file.attempts(), None))
}
