//! Lists from their first page to their last, fetched when the next item is asked for.

#[cfg(feature = "async")]
mod async_pages;
#[cfg(feature = "blocking")]
mod blocking_pages;

#[cfg(feature = "async")]
pub use async_pages::{Items, Pages};
#[cfg(feature = "blocking")]
pub use blocking_pages::{Items as BlockingItems, Pages as BlockingPages};

use scaigrid_types::{Page, Paginated};
use std::collections::HashSet;

/// Which page comes next, without I/O.
pub(crate) struct PageCursor<P> {
    /// `None` behind the last page.
    request: Option<P>,
    /// Cursors that were followed. A server that gives one again would send the same pages for ever.
    followed: HashSet<String>,
    next: Option<String>,
}

impl<P: Paginated> PageCursor<P> {
    pub(crate) fn new(request: P) -> Self {
        let followed = request.cursor().map(str::to_owned).into_iter().collect();
        Self { request: Some(request), followed, next: None }
    }

    /// What to send next. `None` behind the last page.
    pub(crate) fn request(&self) -> Option<&P> {
        self.request.as_ref()
    }

    pub(crate) fn on_page(&mut self, page: &Page<P::Item>) {
        let next = page.next_cursor.as_ref().filter(|cursor| self.followed.insert((*cursor).clone()));
        self.next = next.cloned();
        self.request = match (next, &self.request) {
            (Some(cursor), Some(request)) => Some(request.after(cursor)),
            _ => None,
        };
    }

    /// The list ends here: a failure is final.
    pub(crate) fn on_failure(&mut self) {
        self.request = None;
    }

    /// Where the page that was not fetched begins.
    pub(crate) fn next_cursor(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaigrid_types::ListModels;

    fn follow(cursors: &[Option<&str>]) -> Vec<Option<String>> {
        let mut pages = PageCursor::new(ListModels::new());
        let mut asked = Vec::new();
        for cursor in cursors {
            let Some(request) = pages.request() else { break };
            asked.push(request.cursor.clone());
            pages.on_page(&Page::new(Vec::new(), cursor.map(str::to_owned)));
        }
        asked.push(pages.next_cursor().map(str::to_owned));
        asked
    }

    #[test]
    fn pages_follow_cursors_until_one_is_missing_or_comes_again() {
        let a = || Some("a".to_owned());
        let b = || Some("b".to_owned());
        assert_eq!(follow(&[None]), [None, None]);
        assert_eq!(follow(&[Some("a"), Some("b"), None, Some("c")]), [None, a(), b(), None]);
        assert_eq!(follow(&[Some("a"), Some("a"), Some("c")]), [None, a(), None]);
        assert_eq!(follow(&[Some("a"), Some("b"), Some("a"), Some("c")]), [None, a(), b(), None]);
        assert_eq!(follow(&[Some("a")]), [None, a()]);
        let mut own = PageCursor::new(ListModels::new().cursor("a"));
        own.on_page(&Page::new(Vec::new(), a()));
        assert!(own.request().is_none(), "the cursor that it began at");
    }
}
