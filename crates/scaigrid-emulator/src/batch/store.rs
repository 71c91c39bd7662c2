//! The jobs of an emulator.

use super::job::{Job, Order};
use crate::ids;
use crate::reply::Failure;
use scaigrid_types::ErrorCode;
use serde::{Deserialize, Serialize};

/// The most jobs that are kept. The oldest that are over make room for new ones.
const MAX_JOBS: usize = 100;

/// The most jobs that are not over.
const MAX_OPEN: usize = 20;

/// All jobs, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct JobStore {
    jobs: Vec<Job>,
}

impl JobStore {
    /// Takes a job in and returns its id.
    ///
    /// # Errors
    /// When too many jobs are not over. Assumed: the documentation names no limit and no code for it.
    pub(super) fn add(&mut self, user_id: &str, order: Order, now_ms: i64) -> Result<String, Failure> {
        if self.jobs.iter().filter(|job| !job.is_over()).count() >= MAX_OPEN {
            let message = format!("At most {MAX_OPEN} batches may be under way at a time.");
            return Err(Failure::new(ErrorCode::QuotaExceeded, message));
        }
        if self.jobs.len() >= MAX_JOBS {
            if let Some(oldest) = self.jobs.iter().position(Job::is_over) {
                self.jobs.remove(oldest);
            }
        }
        let id = ids::with_prefix("batch_");
        self.jobs.push(Job::new(id.clone(), user_id.to_owned(), order, now_ms));
        Ok(id)
    }

    /// A job of any user.
    pub(super) fn job(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// A job of this user.
    pub(super) fn job_of(&mut self, user_id: &str, id: &str) -> Option<&mut Job> {
        self.job(id).filter(|job| job.user_id == user_id)
    }

    /// The user's jobs, newest first (assumed).
    pub(super) fn jobs_of(&self, user_id: &str) -> impl Iterator<Item = &Job> {
        self.jobs.iter().rev().filter(move |job| job.user_id == user_id)
    }

    /// The ids and users of the jobs that are not over.
    pub(super) fn open(&self) -> Vec<(String, String)> {
        let open = self.jobs.iter().filter(|job| !job.is_over());
        open.map(|job| (job.id.clone(), job.user_id.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::{CompletionWindow, Source};
    use super::*;

    fn order() -> Order {
        let source = Source::Url("http://127.0.0.1/".to_owned());
        Order { source, window: CompletionWindow::Day, metadata: None }
    }

    fn end(store: &mut JobStore, id: &str) {
        store.job(id).unwrap().fail(Vec::new(), 0);
    }

    #[test]
    fn few_jobs_are_open_and_the_oldest_make_room() {
        let mut store = JobStore::default();
        let first = store.add("user_1", order(), 0).unwrap();
        for _ in 1..MAX_OPEN {
            store.add("user_2", order(), 0).unwrap();
        }
        assert!(format!("{:?}", store.add("user_1", order(), 0).unwrap_err()).contains("Quota"));
        // An open job never makes room.
        for _ in MAX_OPEN..MAX_JOBS + 10 {
            let second = store.open()[1].0.clone();
            end(&mut store, &second);
            store.add("user_2", order(), 0).unwrap();
        }
        assert_eq!((store.jobs.len(), store.open().len()), (MAX_JOBS, MAX_OPEN));
        assert!(store.job(&first).is_some());
        end(&mut store, &first);
        store.add("user_2", order(), 0).unwrap();
        assert!(store.job(&first).is_none());
    }

    #[test]
    fn users_see_their_own_jobs_newest_first() {
        let mut store = JobStore::default();
        let ids: Vec<String> =
            ["a", "b", "a"].iter().map(|user| store.add(user, order(), 0).unwrap()).collect();
        let of = |user| store.jobs_of(user).map(|job| job.id.clone()).collect::<Vec<_>>();
        assert_eq!(of("a"), [ids[2].as_str(), &ids[0]]);
        assert!(store.job_of("a", &ids[1]).is_none() && store.job_of("b", &ids[1]).is_some());
    }
}
