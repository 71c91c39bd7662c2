//! Pages of lists. Cursors are positions, so lists that are paged grow at their end only.

use crate::query::Parameters;
use scaigrid_types::Pagination;

/// Documented for usage and the audit log, assumed for the others.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) limit: usize,
    pub(crate) start: usize,
}

/// Reads `limit` and `cursor`.
pub(crate) fn window(query: &mut Parameters) -> Window {
    let within_limits = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = query.parsed("limit", within_limits, "must be a whole number from 1 to 1000");
    let start = query.parsed("cursor", position, "is not a cursor of this list").unwrap_or(0);
    Window { limit: limit.unwrap_or(DEFAULT_LIMIT), start }
}

/// One page of `all`. The pagination is there on the last page, too.
pub(crate) fn page<T: Clone>(all: &[T], limit: Option<usize>, start: usize) -> (Vec<T>, Option<Pagination>) {
    let items: Vec<T> = all.iter().skip(start).take(limit.unwrap_or(DEFAULT_LIMIT)).cloned().collect();
    let end = start.saturating_add(items.len());
    let next = (end < all.len()).then(|| format!("after_{end}"));
    (items, Some(Pagination::new(next)))
}

/// The position that a cursor stands for.
pub(crate) fn position(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("after_")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other() {
        let all = [1, 2, 3];
        let (first, next) = page(&all, Some(2), 0);
        let next = next.unwrap();
        assert_eq!((first, next.has_more), (vec![1, 2], true));
        let (last, end) = page(&all, Some(2), position(&next.next_cursor.unwrap()).unwrap());
        assert_eq!((last, end.unwrap()), (vec![3], Pagination::new(None)));
        assert_eq!(page(&all, None, 99).0, [0; 0]);
    }

    #[test]
    fn wrong_windows_are_problems() {
        let pairs = [("limit", "1001"), ("cursor", "x")];
        let mut query = Parameters::new(pairs.map(|(key, value)| (key.into(), value.into())).into());
        assert_eq!(window(&mut query), Window { limit: 100, start: 0 });
        assert_eq!(query.into_problems().len(), 2);
    }
}
