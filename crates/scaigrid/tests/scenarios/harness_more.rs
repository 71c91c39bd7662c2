//! What takes more than one call, run once in each colour.

use crate::harness::*;
use bytes::Bytes;
use scaigrid::{BatchJob, BatchResult, DownloadEndpoint, Endpoint, Error, Image, Paginated, Polling, Reply};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a list comes to.
pub(crate) struct SeenItems<T> {
    pub(crate) items: Vec<T>,
    pub(crate) error: Option<Error>,
    /// Queries of the requests, in order.
    pub(crate) queries: Vec<String>,
    pub(crate) next_cursor: Option<String>,
}

impl<T> SeenItems<T> {
    fn take(&mut self, item: Option<Result<T, Error>>) -> bool {
        match item {
            Some(Ok(item)) => {
                assert!(self.error.is_none(), "an item behind the error");
                self.items.push(item);
                true
            }
            Some(Err(error)) => self.error.replace(error).is_none(),
            None => false,
        }
    }

    fn new() -> Self {
        Self { items: Vec::new(), error: None, queries: Vec::new(), next_cursor: None }
    }
}

fn queries(script: &Script) -> Vec<String> {
    script.requests().iter().map(|request| request.uri().query().unwrap_or_default().to_owned()).collect()
}

/// Takes `most` items of a list.
pub(crate) fn items_in_both_colours<P>(
    answers: &[Answer],
    request: &P,
    most: usize,
    check: impl Fn(&SeenItems<P::Item>),
) where
    P: Paginated + Unpin + Send + Sync + 'static,
    P::Item: Send + Unpin,
{
    let setup = Setup { policy: Some(scaigrid::StandardPolicy::no_retries()), ..Setup::default() };
    #[cfg(feature = "async")]
    {
        let script = script(&setup, answers);
        let client = async_client(&setup, &script);
        let mut seen = SeenItems::new();
        runtime().block_on(async {
            let mut items = client.items(request.clone());
            while seen.items.len() < most && seen.take(items.next().await) {}
            seen.next_cursor = items.next_cursor().map(str::to_owned);
        });
        seen.queries = queries(&script);
        check(&seen);
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(&setup, answers);
        let mut items = blocking_client(&setup, &script).items(request.clone());
        let mut seen = SeenItems::new();
        while seen.items.len() < most && seen.take(items.next()) {}
        seen.next_cursor = items.next_cursor().map(str::to_owned);
        seen.queries = queries(&script);
        check(&seen);
    }
}

/// What a download comes to.
pub(crate) struct SeenFile {
    /// From the open call, or from the file.
    pub(crate) result: Result<Bytes, Error>,
    pub(crate) content_type: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) requests: Vec<http::Request<Bytes>>,
    pub(crate) timeouts: Vec<scaigrid::transport::Timeouts>,
    pub(crate) waits: Vec<Duration>,
}

impl SeenFile {
    fn new(
        script: &Script,
        result: Result<Bytes, Error>,
        content_type: Option<String>,
        attempts: u32,
    ) -> Self {
        Self {
            result,
            content_type,
            attempts,
            requests: script.requests(),
            timeouts: script.timeouts(),
            waits: script.waits(),
        }
    }
}

/// What is downloaded.
pub(crate) enum File<'a, E> {
    Endpoint(&'a E),
    Image(&'a Image),
    Url(&'a str),
}

/// Downloads a file, with at most `max_bytes`.
pub(crate) fn downloaded_in_both_colours<E: DownloadEndpoint>(
    setup: &Setup,
    answers: &[Answer],
    file: &File<'_, E>,
    max_bytes: usize,
    check: impl Fn(&SeenFile),
) {
    #[cfg(feature = "async")]
    {
        let script = script(setup, answers);
        let client = async_client(setup, &script);
        let (result, content_type, attempts) = runtime().block_on(async {
            let opened = match file {
                File::Endpoint(endpoint) => client.download(*endpoint).await,
                File::Image(image) => client.download_image(image).await,
                File::Url(url) => client.download_url(url).await,
            };
            match opened {
                Ok(file) => {
                    let (content_type, attempts) = (file.content_type().map(str::to_owned), file.attempts());
                    (file.collect_bytes(max_bytes).await, content_type, attempts)
                }
                Err(error) => (Err(error), None, 0),
            }
        });
        check(&SeenFile::new(&script, result, content_type, attempts));
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(setup, answers);
        let client = blocking_client(setup, &script);
        let opened = match file {
            File::Endpoint(endpoint) => client.download(*endpoint),
            File::Image(image) => client.download_image(image),
            File::Url(url) => client.download_url(url),
        };
        let (result, content_type, attempts) = match opened {
            Ok(file) => {
                let (content_type, attempts) = (file.content_type().map(str::to_owned), file.attempts());
                (file.collect_bytes(max_bytes), content_type, attempts)
            }
            Err(error) => (Err(error), None, 0),
        };
        check(&SeenFile::new(&script, result, content_type, attempts));
    }
}

/// The results of a batch.
pub(crate) fn results_in_both_colours(
    answers: &[Answer],
    job: &BatchJob,
    check: impl Fn(&[Result<BatchResult, Error>], &[http::Request<Bytes>]),
) {
    let setup = Setup::default();
    #[cfg(feature = "async")]
    {
        let script = script(&setup, answers);
        let client = async_client(&setup, &script);
        let results = runtime().block_on(async {
            let mut all = Vec::new();
            match client.batch_results(job).await {
                Ok(mut results) => {
                    while let Some(result) = results.next().await {
                        all.push(result);
                    }
                }
                Err(error) => all.push(Err(error)),
            }
            all
        });
        check(&results, &script.requests());
    }
    #[cfg(feature = "blocking")]
    {
        let script = script(&setup, answers);
        let results = match blocking_client(&setup, &script).batch_results(job) {
            Ok(results) => results.collect(),
            Err(error) => vec![Err(error)],
        };
        check(&results, &script.requests());
    }
}

/// What a wait comes to.
pub(crate) struct SeenWait<T> {
    pub(crate) result: Result<Reply<T>, Error>,
    /// What the observer was shown.
    pub(crate) shown: Vec<T>,
    pub(crate) waits: Vec<Duration>,
}

/// Waits for an endpoint's reply.
pub(crate) fn waited_in_both_colours<E: Endpoint>(
    answers: &[Answer],
    endpoint: &E,
    deadline: Option<Duration>,
    is_done: fn(&E::Reply) -> bool,
    check: impl Fn(&SeenWait<E::Reply>),
) where
    E::Reply: Clone + Send,
{
    let setup = Setup::default();
    let polling = |shown: &Arc<Mutex<Vec<E::Reply>>>| {
        let shown = Arc::clone(shown);
        let polling = Polling::new().interval(Duration::from_secs(10));
        let polling = match deadline {
            Some(deadline) => polling.deadline(deadline),
            None => polling,
        };
        polling.on_progress(move |reply: &E::Reply| shown.lock().unwrap().push(reply.clone()))
    };
    let seen = |script: &Script, result, shown: Arc<Mutex<Vec<E::Reply>>>| {
        let waits = script.waits();
        SeenWait { result, shown: std::mem::take(&mut shown.lock().unwrap()), waits }
    };
    #[cfg(feature = "async")]
    {
        let (script, shown) = (script(&setup, answers), Arc::default());
        let client = async_client(&setup, &script);
        let result = runtime().block_on(client.wait_until(endpoint, polling(&shown), is_done));
        check(&seen(&script, result, shown));
    }
    #[cfg(feature = "blocking")]
    {
        let (script, shown) = (script(&setup, answers), Arc::default());
        let result = blocking_client(&setup, &script).wait_until(endpoint, polling(&shown), is_done);
        check(&seen(&script, result, shown));
    }
}
