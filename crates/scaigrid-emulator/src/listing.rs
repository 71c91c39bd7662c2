//! Pages of lists: `limit` and `cursor` in, items and `pagination` out. Cursors are positions.

use crate::query::{Pairs, Parameters};
use crate::reply::{Failure, Reply};
use scaigrid_types::Pagination;
use serde::Serialize;

/// Documented for the usage list and the audit log, assumed for all others.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    limit: usize,
    start: usize,
}

/// Reads `limit` and `cursor`.
pub(crate) fn window(query: &mut Parameters) -> Window {
    let within = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = query.parsed("limit", within, "must be a whole number from 1 to 1000");
    let start = query.parsed("cursor", position, "is not a cursor of this list");
    Window { limit: limit.unwrap_or(DEFAULT_LIMIT), start: start.unwrap_or(0) }
}

/// As [`window`], of a list that has no other parameters.
pub(crate) fn only_window(pairs: Pairs) -> Result<Window, Failure> {
    let mut query = Parameters::new(pairs);
    let window = window(&mut query);
    query.finish()?;
    Ok(window)
}

/// One page. The pagination is there on the last page, too.
pub(crate) fn page<T>(all: impl IntoIterator<Item = T>, window: Window) -> Reply<Vec<T>> {
    let mut rest = all.into_iter().skip(window.start);
    let items: Vec<T> = rest.by_ref().take(window.limit).collect();
    let end = window.start.saturating_add(items.len());
    let next = rest.next().map(|_| format!("after_{end}"));
    Reply { data: items, pagination: Some(Pagination::new(next)) }
}

/// `data` of list shape 1.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    items: Vec<T>,
}

/// One page in list shape 1: `data.items[]`, with `pagination` beside it.
pub(crate) fn reply<T>(all: impl IntoIterator<Item = T>, window: Window) -> Reply<Items<T>> {
    let Reply { data: items, pagination } = page(all, window);
    Reply { data: Items { items }, pagination }
}

/// The position that a cursor stands for.
pub(crate) fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("after_")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Window, usize) {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut query = Parameters::new(pairs.collect());
        (window(&mut query), query.into_problems().len())
    }

    #[test]
    fn windows_have_defaults_and_limits() {
        assert_eq!(read(&[]), (Window { limit: 100, start: 0 }, 0));
        assert_eq!(read(&[("limit", "1000"), ("cursor", "after_7")]), (Window { limit: 1000, start: 7 }, 0));
        assert_eq!(read(&[("limit", "1001"), ("cursor", "7")]).1, 2);
        assert_eq!(read(&[("limit", "0"), ("cursor", "after_-1")]).1, 2);
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all = [1, 2, 3, 4, 5];
        let mut seen = Vec::new();
        let mut start = 0;
        loop {
            let page = page(all, Window { limit: 2, start });
            seen.extend(page.data);
            let pagination = page.pagination.unwrap();
            assert_eq!(pagination.has_more, pagination.next_cursor.is_some());
            let Some(cursor) = pagination.next_cursor else { break };
            start = position(&cursor).unwrap();
        }
        assert_eq!(seen, all);
        assert!(page(all, Window { limit: 2, start: usize::MAX }).data.is_empty());
    }
}
