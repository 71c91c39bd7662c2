//! Pages of lists, for every list whose shape is not documented: `items` and a `pagination` beside `data`.

use crate::query::Parameters;
use scaigrid_types::Pagination;
use serde::Serialize;

/// Documented for the usage list, assumed for the others.
const DEFAULT_LIMIT: usize = 100;

/// The payload of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) limit: usize,
    pub(crate) start: usize,
}

/// Reads `limit` and `cursor`.
pub(crate) fn window(query: &mut Parameters) -> Window {
    let within_limits = |text: &str| text.parse().ok().filter(|limit| (1..=1000).contains(limit));
    let limit = query.parsed("limit", within_limits, "must be a whole number from 1 to 1000");
    let start = query.parsed("cursor", position, "is not a cursor of this list");
    Window { limit: limit.unwrap_or(DEFAULT_LIMIT), start: start.unwrap_or(0) }
}

/// At most `limit` items from `start` on, and where the next page begins.
pub(crate) fn page<T: Clone>(all: &[T], limit: Option<usize>, start: usize) -> (Vec<T>, Option<Pagination>) {
    let items: Vec<T> = all.iter().skip(start).take(limit.unwrap_or(DEFAULT_LIMIT)).cloned().collect();
    let end = start.saturating_add(items.len());
    let next = (end < all.len()).then(|| format!("after_{end}"));
    (items, Some(Pagination::new(next)))
}

fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("after_")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let all = [1, 2, 3];
        let (items, pagination) = page(&all, Some(2), 0);
        let cursor = pagination.unwrap().next_cursor.unwrap();
        assert_eq!((items, position(&cursor)), (vec![1, 2], Some(2)));
        assert_eq!(page(&all, Some(2), 2), (vec![3], Some(Pagination::new(None))));
        assert_eq!(page(&all, None, usize::MAX), (vec![], Some(Pagination::new(None))));
    }
}
