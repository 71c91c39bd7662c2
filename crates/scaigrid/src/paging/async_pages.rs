//! Pages and items of the async client.

use super::PageCursor;
use crate::{Client, Error, Reply};
use futures_core::Stream;
use scaigrid_types::{Page, Paginated};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Fetch<T> = Pin<Box<dyn Future<Output = Result<Reply<Page<T>>, Error>> + Send>>;

/// The pages of a list: a [`Stream`] that fetches each when it is asked for. From [`Client::pages`].
///
/// It ends behind the last page, at a cursor that the server has given before, and after an error.
///
/// ```no_run
/// # async fn run(client: scaigrid::Client) -> Result<(), scaigrid::Error> {
/// let mut pages = client.pages(scaigrid::ListModels::new());
/// while let Some(page) = pages.next().await {
///     println!("{} models", page?.items.len());
/// }
/// # Ok(()) }
/// ```
pub struct Pages<P: Paginated> {
    client: Client,
    cursor: PageCursor<P>,
    fetch: Option<Fetch<P::Item>>,
}

impl<P: Paginated> Pages<P> {
    pub(crate) fn new(client: Client, request: P) -> Self {
        Self { client, cursor: PageCursor::new(request), fetch: None }
    }

    /// Where the next page begins: after an error, the page that failed. `None` before the first page and behind the last.
    pub fn next_cursor(&self) -> Option<&str> {
        self.cursor.next_cursor()
    }
}

impl<P> Pages<P>
where
    P: Paginated + Unpin + Send + Sync + 'static,
    P::Item: Send,
{
    /// The next page. `None` at the end.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn next(&mut self) -> Option<Result<Reply<Page<P::Item>>, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<P> Stream for Pages<P>
where
    P: Paginated + Unpin + Send + Sync + 'static,
    P::Item: Send,
{
    type Item = Result<Reply<Page<P::Item>>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(request) = this.cursor.request() else { return Poll::Ready(None) };
        let client = &this.client;
        let fetch = this.fetch.get_or_insert_with(|| {
            let (client, request) = (client.clone(), request.clone());
            Box::pin(async move { client.send(&request).await })
        });
        let page = ready!(fetch.as_mut().poll(context));
        this.fetch = None;
        match &page {
            Ok(page) => this.cursor.on_page(page),
            Err(_) => this.cursor.on_failure(),
        }
        Poll::Ready(Some(page))
    }
}

/// The items of a list: a [`Stream`] that fetches the next page when one is used up. From [`Client::items`].
///
/// It ends behind the last item, at a cursor that the server has given before, and after an error.
/// [`next_cursor`](Self::next_cursor) then says where to go on.
///
/// ```no_run
/// # async fn run(client: scaigrid::Client) -> Result<(), scaigrid::Error> {
/// let mut models = client.items(scaigrid::ListModels::new());
/// while let Some(model) = models.next().await {
///     println!("{}", model?.slug);
/// }
/// # Ok(()) }
/// ```
pub struct Items<P: Paginated> {
    pages: Pages<P>,
    page: std::vec::IntoIter<P::Item>,
}

impl<P: Paginated> Items<P> {
    pub(crate) fn new(pages: Pages<P>) -> Self {
        Self { pages, page: Vec::new().into_iter() }
    }

    /// Where the next page begins: after an error, the page that failed. `None` before the first page and behind the last.
    pub fn next_cursor(&self) -> Option<&str> {
        self.pages.next_cursor()
    }
}

impl<P> Items<P>
where
    P: Paginated + Unpin + Send + Sync + 'static,
    P::Item: Send + Unpin,
{
    /// The next item. `None` at the end.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn next(&mut self) -> Option<Result<P::Item, Error>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<P> Stream for Items<P>
where
    P: Paginated + Unpin + Send + Sync + 'static,
    P::Item: Send + Unpin,
{
    type Item = Result<P::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(context)) {
                Some(Ok(page)) => this.page = page.into_inner().into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<P: Paginated> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("next_cursor", &self.next_cursor()).finish_non_exhaustive()
    }
}

impl<P: Paginated> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("next_cursor", &self.next_cursor()).finish_non_exhaustive()
    }
}
