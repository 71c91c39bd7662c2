//! Pages and items of the blocking client.

use super::PageCursor;
use crate::blocking::Client;
use crate::{Error, Reply};
use scaigrid_types::{Page, Paginated};
use std::fmt;

/// The pages of a list: an [`Iterator`] that fetches each when it is asked for. From
/// [`blocking::Client::pages`](crate::blocking::Client::pages).
///
/// It ends behind the last page, at a cursor that the server has given before, and after an error.
///
/// ```no_run
/// # fn run(client: scaigrid::blocking::Client) -> Result<(), scaigrid::Error> {
/// for page in client.pages(scaigrid::ListModels::new()) {
///     println!("{} models", page?.items.len());
/// }
/// # Ok(()) }
/// ```
pub struct Pages<P> {
    client: Client,
    cursor: PageCursor<P>,
}

impl<P: Paginated> Pages<P> {
    pub(crate) fn new(client: Client, request: P) -> Self {
        Self { client, cursor: PageCursor::new(request) }
    }

    /// Where the next page begins: after an error, the page that failed. `None` before the first page and behind the last.
    pub fn next_cursor(&self) -> Option<&str> {
        self.cursor.next_cursor()
    }
}

impl<P: Paginated> Iterator for Pages<P> {
    type Item = Result<Reply<Page<P::Item>>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let page = self.client.send(self.cursor.request()?);
        match &page {
            Ok(page) => self.cursor.on_page(page),
            Err(_) => self.cursor.on_failure(),
        }
        Some(page)
    }
}

/// The items of a list: an [`Iterator`] that fetches the next page when one is used up. From
/// [`blocking::Client::items`](crate::blocking::Client::items).
///
/// It ends behind the last item, at a cursor that the server has given before, and after an error.
/// [`next_cursor`](Self::next_cursor) then says where to go on.
///
/// ```no_run
/// # fn run(client: scaigrid::blocking::Client) -> Result<(), scaigrid::Error> {
/// let models = client.items(scaigrid::ListModels::new()).collect::<Result<Vec<_>, _>>()?;
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

impl<P: Paginated> Iterator for Items<P> {
    type Item = Result<P::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            match self.pages.next()? {
                Ok(page) => self.page = page.into_inner().into_iter(),
                Err(error) => return Some(Err(error)),
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
