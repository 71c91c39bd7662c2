//! Makes the calls of a scenario, async.

use super::Stage;
use super::scenario::{Call, Came, delete, get, hello, upload};
use super::server::Log;
use crate::{ChatRequest, Client, Endpoint, Error};
use scaigrid_transport::Transport;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

pub(super) async fn make(stage: &Stage, transport: impl Transport + 'static) -> Result<Vec<Came>, Error> {
    let builder = Client::builder().transport(transport).clock(stage.clock.clone());
    let client = stage.scenario.setup.apply(builder, &stage.base_url).build()?;
    let mut all = Vec::new();
    for call in stage.scenario.calls {
        all.extend(make_one(stage, &client, *call).await);
    }
    Ok(all)
}

async fn make_one(stage: &Stage, client: &Client, call: Call) -> Option<Came> {
    if let Some((pieces, is_len_known)) = call.source() {
        let (request, reads) = upload(pieces, is_len_known);
        return Some(send(client, &request).await.read(&reads));
    }
    let came = match call {
        Call::Pause(time) => {
            pause(time).await;
            return None;
        }
        Call::AwaitEnd => {
            wait_until(stage, |log| log.client_left.is_some() || log.connections == 0).await;
            return None;
        }
        Call::Get => send(client, &get()).await,
        Call::Delete => send(client, &delete()).await,
        Call::Chat => chat(client, &hello(0)).await,
        Call::LongChat(len) => chat(client, &hello(len)).await,
        Call::Stream => stream(client).await.unwrap_or_else(Came::from),
        Call::StreamBegin => {
            let came = stream_begin(client).await.unwrap_or_else(Came::from);
            if came.result.is_ok() {
                wait_until(stage, |log| log.client_left.is_some()).await;
            }
            came
        }
        Call::GivenUp => given_up(stage, client).await,
        Call::FileBegin => file_begin(stage, client).await.unwrap_or_else(Came::from),
        Call::Upload { .. } | Call::LargeUpload { .. } => return None,
    };
    Some(came)
}

async fn wait_until(stage: &Stage, is_so: fn(&Log) -> bool) {
    poll_fn(|context| stage.server.poll_until(is_so, context)).await;
}

/// Real time, on whatever runtime.
async fn pause(time: Duration) {
    let state = Arc::new(Mutex::new((false, None::<Waker>)));
    let shared = Arc::clone(&state);
    std::thread::spawn(move || {
        crate::clock::wait(time);
        let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = true;
        state.1.take().into_iter().for_each(Waker::wake);
    });
    poll_fn(|context| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = Some(context.waker().clone());
        if state.0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

async fn send<E: Endpoint<Reply = serde_json::Value>>(client: &Client, endpoint: &E) -> Came {
    match client.send(endpoint).await {
        Ok(reply) => Came::of_value(&reply),
        Err(error) => error.into(),
    }
}

async fn chat(client: &Client, request: &ChatRequest) -> Came {
    match client.chat(request).await {
        Ok(reply) => Came::well(reply.text(), reply.attempts(), reply.request_id()),
        Err(error) => error.into(),
    }
}

async fn stream(client: &Client) -> Result<Came, Error> {
    let stream = client.chat_stream(&hello(0)).await?;
    let attempts = stream.attempts();
    let whole = stream.finish().await?;
    Ok(Came::well(whole.text(), attempts, None))
}

async fn stream_begin(client: &Client) -> Result<Came, Error> {
    let mut stream = client.chat_stream(&hello(0)).await?;
    let chunk = stream.next().await.transpose()?;
    let text = chunk.map(|chunk| chunk.text().to_owned()).unwrap_or_default();
    Ok(Came::well(text, stream.attempts(), None))
}

/// Drops the call when the server has its request.
async fn given_up(stage: &Stage, client: &Client) -> Came {
    let request = hello(0);
    let mut call = Box::pin(chat(client, &request));
    let early = poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(came) => Poll::Ready(Some(came)),
        Poll::Pending => stage.server.poll_until(|log| !log.requests.is_empty(), context).map(|()| None),
    });
    if let Some(came) = early.await {
        return came;
    }
    drop(call);
    wait_until(stage, |log| log.client_left.is_some()).await;
    Came::given_up()
}

async fn file_begin(stage: &Stage, client: &Client) -> Result<Came, Error> {
    let mut file = client.download(&get()).await?;
    let piece = file.next().await.transpose()?;
    wait_until(stage, |log| log.flooded.is_some()).await;
    Ok(Came::well(format!("{} bytes", piece.map_or(0, |piece| piece.len())), file.attempts(), None))
}
