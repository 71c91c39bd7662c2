//! What takes more than one call, or none of the endpoints.

use crate::call::Call;
use crate::fetch::{Credentialed, Fetch, errors_url, image_url, results_url};
use crate::{BatchResults, Client, Download, Error, Items, Pages, Polling, Reply};
use scaigrid_types::{BatchJob, Document, Endpoint, GetBatch, GetDocument, Image, Paginated};
use std::sync::Arc;

impl Client {
    /// All items of a list, from the page that `request` asks for to the last. Each page is fetched when its first item is
    /// asked for, with the limit of `request`.
    ///
    /// ```no_run
    /// # async fn run(client: scaigrid::Client) -> Result<(), scaigrid::Error> {
    /// use scaigrid::{ListUsage, UsagePeriod};
    ///
    /// let mut records = client.items(ListUsage::new().period(UsagePeriod::Day));
    /// while let Some(record) = records.next().await {
    ///     println!("{:?}", record?.cost);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn items<P: Paginated>(&self, request: P) -> Items<P> {
        Items::new(self.pages(request))
    }

    /// All pages of a list, from the one that `request` asks for to the last. Each is fetched when it is asked for.
    pub fn pages<P: Paginated>(&self, request: P) -> Pages<P> {
        Pages::new(self.clone(), request)
    }

    /// Calls an endpoint again and again until `is_done` says so of a reply, which is then handed out.
    ///
    /// # Errors
    /// As [`send`](Self::send): a look that fails, after its retries, ends the wait.
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout) when the deadline of `polling` comes first.
    pub async fn wait_until<E: Endpoint>(
        &self,
        endpoint: &E,
        mut polling: Polling<'_, E::Reply>,
        mut is_done: impl FnMut(&E::Reply) -> bool,
    ) -> Result<Reply<E::Reply>, Error> {
        let started = self.clock.now();
        loop {
            let reply = self.send(endpoint).await?;
            let is_final = is_done(&reply);
            let pause = polling.on_look(&reply, is_final, started, self.now()).map_err(|mut error| {
                error.context_mut().endpoint = Some(endpoint.name());
                error.context_mut().elapsed = self.clock.now().saturating_duration_since(started);
                error
            })?;
            match pause {
                Some(pause) => self.clock.sleep(pause).await,
                None => return Ok(reply),
            }
        }
    }

    /// Waits until a batch is completed, failed, cancelled, or expired: look at its status. It may be waited for from any
    /// process that knows its id.
    ///
    /// # Errors
    /// As [`wait_until`](Self::wait_until).
    pub async fn wait_for_batch(
        &self,
        batch_id: impl Into<String>,
        polling: Polling<'_, BatchJob>,
    ) -> Result<Reply<BatchJob>, Error> {
        self.wait_until(&GetBatch::new(batch_id), polling, BatchJob::is_final).await
    }

    /// The results of a batch, line by line. Sends the credential only if they lie at the gateway's own origin. Each line
    /// that is read counts in [`UsageSnapshot::batches`](crate::UsageSnapshot::batches): again, if the file is read again.
    ///
    /// # Errors
    /// As [`download`](crate::Client::download); [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when the batch has
    /// none yet.
    pub async fn batch_results(&self, job: &BatchJob) -> Result<BatchResults, Error> {
        let file = self.fetch(results_url(job)?, Credentialed::SameOrigin).await?;
        Ok(BatchResults::new(file, self.settings.max_response_bytes, Some(Arc::clone(&self.settings.watch))))
    }

    /// The failed lines of a batch, as [`batch_results`](Self::batch_results). Whether they are among the results, too, is not
    /// documented.
    ///
    /// # Errors
    /// As [`batch_results`](Self::batch_results).
    pub async fn batch_errors(&self, job: &BatchJob) -> Result<BatchResults, Error> {
        let file = self.fetch(errors_url(job)?, Credentialed::SameOrigin).await?;
        Ok(BatchResults::new(file, self.settings.max_response_bytes, None))
    }

    /// Waits until a document is indexed or has failed: look at its status.
    ///
    /// # Errors
    /// As [`wait_until`](Self::wait_until).
    pub async fn wait_until_indexed(
        &self,
        collection_id: impl Into<String>,
        document_id: impl Into<String>,
        polling: Polling<'_, Document>,
    ) -> Result<Reply<Document>, Error> {
        self.wait_until(&GetDocument::new(collection_id, document_id), polling, Document::is_final).await
    }

    /// Downloads an image from the address that came with it. Never sends the credential: the address itself is the key.
    ///
    /// # Errors
    /// As [`download_url`](Self::download_url).
    pub async fn download_image(&self, image: &Image) -> Result<Download, Error> {
        self.fetch(image_url(image)?, Credentialed::Never).await
    }

    /// Downloads from an address that the gateway has handed out. Never sends the credential, and headers of the caller's only
    /// to the gateway's own origin. Redirects are not followed.
    ///
    /// # Errors
    /// As [`download`](Self::download); [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it is no address
    /// of `http` or `https`.
    pub async fn download_url(&self, url: &str) -> Result<Download, Error> {
        self.fetch(url, Credentialed::Never).await
    }

    async fn fetch(&self, url: &str, credentialed: Credentialed) -> Result<Download, Error> {
        let (fetch, outline) = Fetch::new(url, credentialed, &self.settings)?;
        let carrier = if fetch.is_near { self.clone() } else { self.elsewhere()? };
        let token = self.credential.fixed();
        let call = Call::with_outline(&fetch, outline, &self.settings, token, self.now());
        let call = call.with_secret_address(fetch.secrets.clone());
        carrier.download_with(&fetch, call).await.map_err(Error::without_server_text)
    }
}
