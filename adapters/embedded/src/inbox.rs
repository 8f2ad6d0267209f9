//! What the writer is asked, collected in rounds.
//!
//! A request wakes one task, and that task hands over what has come by the time it runs: everything that the tasks
//! before it in the scheduler's queue have asked. So one wake-up of the writer, one write and one sync serve a whole
//! round of connections, and nobody waits for a timer.

use std::sync::Arc;

use parking_lot::Mutex;
use ports::{Answer, Fault};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::committer::Request;

/// How many requests may wait for the writer or for its answer.
const WAITING_MAX: usize = 16_384;

/// A round is handed over with so many requests at the latest, so that the writer works beside those who ask.
const ROUND_MAX: usize = 128;

/// The way to the writer.
pub(crate) struct Inbox {
    round: Mutex<Round>,
    asked: Notify,
    /// Free places for requests; a request has one until it is answered.
    places: Arc<Semaphore>,
    writer: mpsc::UnboundedSender<Vec<Request>>,
}

/// Who asked; holds a place until it is answered.
pub(crate) struct Asker<T> {
    answer: oneshot::Sender<Result<T, Fault>>,
    _place: OwnedSemaphorePermit,
}

impl<T> Asker<T> {
    /// Answers. Whoever does not wait any more misses nothing.
    pub(crate) fn answer(self, answer: Result<T, Fault>) {
        drop(self.answer.send(answer));
    }
}

#[derive(Default)]
struct Round {
    requests: Vec<Request>,
    is_last: bool,
}

impl Inbox {
    /// An inbox, and the end of it that the writer reads. Every round holds at least one request.
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Vec<Request>>) {
        let (writer, rounds) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(WAITING_MAX));
        let inbox = Self { round: Mutex::default(), asked: Notify::new(), places, writer };
        (Arc::new(inbox), rounds)
    }

    /// Hands over rounds until the inbox is closed.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.asked.notified().await;
            if self.hand_over() {
                return;
            }
        }
    }

    /// Hands over what has come; whether it was the last.
    fn hand_over(&self) -> bool {
        // The lock is held until the writer has them: rounds must not overtake each other.
        let mut round = self.round.lock();
        let requests = std::mem::take(&mut round.requests);
        if !requests.is_empty() && self.writer.send(requests).is_err() {
            // The writer is gone, and with it the requests: whoever waits for an answer or a place learns it.
            self.places.close();
        }
        round.is_last
    }

    /// Asks the writer at once, so that nothing but the answer is held while it is waited for.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        request: impl FnOnce(Asker<T>) -> Request + Send + 'static,
    ) -> Answer<'_, T> {
        let (answer, answered) = oneshot::channel();
        let answered = async move { answered.await.map_err(|_| closed())? };
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            self.add(request(Asker { answer, _place: place }));
            return Box::pin(answered);
        }
        Box::pin(async move {
            let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
            self.add(request(Asker { answer, _place: place }));
            answered.await
        })
    }

    fn add(&self, request: Request) {
        let mut round = self.round.lock();
        round.requests.push(request);
        let count = round.requests.len();
        drop(round);
        if count == 1 {
            self.asked.notify_one();
        } else if count >= ROUND_MAX {
            self.hand_over();
        }
    }

    /// Asks for nothing but that the writer looks up, past everything that waits.
    pub(crate) fn tick(&self) -> Result<(), Fault> {
        self.writer.send(vec![Request::Tick]).map_err(|_| closed())
    }

    /// Ends the writer after what was asked so far, without anything of this runtime being polled again.
    pub(crate) fn close(&self) {
        self.round.lock().is_last = true;
        let _ = self.hand_over();
        self.asked.notify_one();
        self.places.close();
        drop(self.writer.send(vec![Request::End]));
    }
}

fn closed() -> Fault {
    Fault::Unavailable("the store is closed".to_owned())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;

    fn ask(inbox: &Inbox) -> Answer<'_, ()> {
        inbox.ask(Request::Close)
    }

    async fn is_waiting(answer: &mut Answer<'_, ()>) -> bool {
        poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_pending())).await
    }

    #[tokio::test]
    async fn a_round_holds_what_was_asked_before_it_was_handed_over_and_is_never_too_large() {
        let (inbox, mut rounds) = Inbox::new();
        let _first: Vec<_> = (0..3).map(|_| ask(&inbox)).collect();
        assert!(rounds.try_recv().is_err());
        assert!(!inbox.hand_over());
        assert_eq!(rounds.try_recv().map(|round| round.len()), Ok(3));
        let _full: Vec<_> = (0..=ROUND_MAX).map(|_| ask(&inbox)).collect();
        assert_eq!(rounds.try_recv().map(|round| round.len()), Ok(ROUND_MAX));
        assert!(rounds.try_recv().is_err());
    }

    #[tokio::test]
    async fn beyond_the_limit_requests_wait_for_a_place_and_are_not_lost() {
        let (inbox, mut rounds) = Inbox::new();
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| ask(&inbox)).collect();
        let mut late = ask(&inbox);
        assert!(is_waiting(&mut late).await);
        // Who does not wait any more still has its place: its request waits.
        drop(waiting);
        assert!(is_waiting(&mut late).await);
        let mut asked: Vec<Request> = std::iter::from_fn(|| rounds.try_recv().ok()).flatten().collect();
        assert_eq!(asked.len(), WAITING_MAX);
        // And who was answered has none, however late it looks.
        let Some(Request::Close(asker)) = asked.pop() else { panic!("a request to close") };
        asker.answer(Ok(()));
        assert!(is_waiting(&mut late).await);
        assert!(!inbox.hand_over());
        assert_eq!(rounds.try_recv().map(|round| round.len()), Ok(1));
    }

    #[tokio::test]
    async fn without_a_writer_everybody_who_waits_learns_it() {
        let (inbox, rounds) = Inbox::new();
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| ask(&inbox)).collect();
        let mut late = ask(&inbox);
        assert!(is_waiting(&mut late).await);
        drop(rounds);
        for waiting in waiting {
            assert_eq!(waiting.await, Err(closed()));
        }
        // The runtime lets a task do only so much in one turn.
        tokio::task::yield_now().await;
        assert!(is_waiting(&mut late).await);
        assert!(!inbox.hand_over());
        assert_eq!(late.await, Err(closed()));
        assert_eq!(ask(&inbox).await, Err(closed()));
    }

    #[tokio::test]
    async fn closing_ends_the_task_that_hands_over() {
        let (inbox, mut rounds) = Inbox::new();
        let _last = ask(&inbox);
        inbox.close();
        Arc::clone(&inbox).run().await;
        assert_eq!(rounds.try_recv().map(|round| round.len()), Ok(1));
        assert!(matches!(rounds.try_recv().as_deref(), Ok([Request::End])));
    }
}
