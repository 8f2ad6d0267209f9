//! What was noted and is not written yet, within limits, and what found no place there.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use hashbrown::HashMap;
use model::{DataClass, Millis, SdkAppId};
use ports::segments::SegmentId;

use super::monitoring::Minute;
use super::{BLOCK_MAX, Request};

/// Requests that wait to be written at most; beyond it they are counted only.
pub const WAITING_MAX: usize = 200_000;

/// How many of them may be one app's: so what strangers do to it takes no place of the others.
pub const APP_WAITING_MAX: usize = WAITING_MAX / 4;

/// The command of a row that stands for requests that were not logged; its cause says how many.
pub const NOT_LOGGED: &str = "not_logged";

pub(super) struct Noted {
    pub(super) at: Millis,
    pub(super) reference: u64,
    pub(super) request: Request,
}

/// Requests that were not logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) count: u64,
    pub(super) first: Millis,
    last: Millis,
}

impl Loss {
    fn of(noted: &Noted) -> Self {
        Self { count: 1, first: noted.at, last: noted.at }
    }

    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// What the log of the app says about it.
    pub(super) fn request(self, app: SdkAppId) -> Request {
        let Self { count, first, last } = self;
        let millis = last.0.saturating_sub(first.0);
        let cause = format!("{count} requests were not logged, the last of them {millis} ms after the first");
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Request { app, address, command: NOT_LOGGED, code: 0, cause: Some(cause.into()), micros: 0 }
    }
}

/// What of one app waits.
#[derive(Default)]
struct Share {
    noted: usize,
    loss: Option<Loss>,
}

pub(super) struct Waiting {
    most: usize,
    most_of_app: usize,
    noted: Vec<Noted>,
    shares: HashMap<SdkAppId, Share>,
    pub(super) minutes: HashMap<(SdkAppId, u32), Minute>,
}

/// What was taken to be written.
pub(super) struct Taken {
    /// By segment, in parts of at most [`BLOCK_MAX`].
    pub(super) parts: VecDeque<(SegmentId, Vec<Noted>)>,
    pub(super) losses: Vec<(SdkAppId, Loss)>,
    pub(super) minutes: Vec<((SdkAppId, u32), Minute)>,
}

impl Waiting {
    pub(super) fn new(most: usize, most_of_app: usize) -> Self {
        let (shares, minutes) = (HashMap::new(), HashMap::new());
        Self { most, most_of_app, noted: Vec::new(), shares, minutes }
    }

    /// Counts a request, and keeps it if there is a place; whether it is the first.
    pub(super) fn note(&mut self, noted: Noted) -> bool {
        let Request { app, command, code, micros, .. } = noted.request;
        let minute = noted.at.seconds().0 / 60;
        self.minutes.entry((app, minute)).or_default().count(command, code == 0, micros);
        let is_first = self.noted.is_empty();
        let share = self.shares.entry(app).or_default();
        if share.noted < self.most_of_app && self.noted.len() < self.most {
            share.noted += 1;
            self.noted.push(noted);
        } else {
            self.lose(app, Loss::of(&noted));
        }
        is_first
    }

    /// Counts requests of an app that are not logged.
    pub(super) fn lose(&mut self, app: SdkAppId, loss: Loss) {
        let share = self.shares.entry(app).or_default();
        share.loss = Some(share.loss.map_or(loss, |former| former.and(loss)));
    }

    /// Counts requests of an app that could not be written.
    pub(super) fn lose_part(&mut self, app: SdkAppId, part: &[Noted]) {
        if let Some(loss) = part.iter().map(Loss::of).reduce(Loss::and) {
            self.lose(app, loss);
        }
    }

    /// Takes everything that waits, of minutes those that are over.
    pub(super) fn take(&mut self, is_over: impl Fn(u32) -> bool) -> (Vec<Noted>, Taken) {
        let noted = std::mem::take(&mut self.noted);
        let losses = self.shares.drain().filter_map(|(app, share)| Some((app, share.loss?))).collect();
        let minutes = self.minutes.extract_if(|(_, minute), _| is_over(*minute)).collect();
        (noted, Taken { parts: VecDeque::new(), losses, minutes })
    }

    /// Puts back what was not written after all; whether there was anything.
    pub(super) fn put_back(&mut self, taken: &mut Taken) -> bool {
        let is_any = !(taken.parts.is_empty() && taken.losses.is_empty() && taken.minutes.is_empty());
        let mut noted: Vec<Noted> = taken.parts.drain(..).flat_map(|(_, part)| part).collect();
        for one in &noted {
            self.shares.entry(one.request.app).or_default().noted += 1;
        }
        noted.append(&mut self.noted);
        self.noted = noted;
        for (app, loss) in taken.losses.drain(..) {
            self.lose(app, loss);
        }
        for (key, minute) in taken.minutes.drain(..) {
            self.minutes.entry(key).or_default().merge(minute);
        }
        is_any
    }
}

/// What was noted by segment, in its order and in parts of at most [`BLOCK_MAX`].
pub(super) fn parts(noted: Vec<Noted>) -> VecDeque<(SegmentId, Vec<Noted>)> {
    let (mut open, mut parts) = (HashMap::<SegmentId, Vec<Noted>>::new(), VecDeque::new());
    for noted in noted {
        let segment = SegmentId::at(noted.request.app, DataClass::Log, noted.at.seconds());
        let part = open.entry(segment).or_default();
        part.push(noted);
        if part.len() == BLOCK_MAX {
            parts.push_back((segment, std::mem::take(part)));
        }
    }
    parts.extend(open.into_iter().filter(|(_, part)| !part.is_empty()));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(app: u32, reference: u64) -> Noted {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let app = SdkAppId(app);
        let request = Request { app, address, command: "a/b", code: 0, cause: None, micros: 5 };
        Noted { at: Millis(reference), reference, request }
    }

    fn references<'a>(parts: impl IntoIterator<Item = &'a (SegmentId, Vec<Noted>)>) -> Vec<(u32, u64)> {
        let rows = parts.into_iter().flat_map(|(_, part)| part);
        let mut found: Vec<_> = rows.map(|noted| (noted.request.app.0, noted.reference)).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn an_app_that_has_its_share_leaves_places_to_others_and_all_of_them_no_more_than_there_are() {
        let mut waiting = Waiting::new(5, 3);
        for (number, app) in [1, 1, 1, 1, 2, 1, 3, 2, 3].into_iter().enumerate() {
            assert_eq!(waiting.note(noted(app, number as u64)), number == 0);
        }
        let (kept, mut taken) = waiting.take(|_| true);
        assert_eq!(references(&parts(kept)), [(1, 0), (1, 1), (1, 2), (2, 4), (3, 6)]);
        taken.losses.sort_unstable_by_key(|(app, _)| *app);
        let loss = |count, first, last| Loss { count, first: Millis(first), last: Millis(last) };
        let expected =
            [(SdkAppId(1), loss(2, 3, 5)), (SdkAppId(2), loss(1, 7, 7)), (SdkAppId(3), loss(1, 8, 8))];
        assert_eq!(taken.losses, expected);
        let row = loss(2, 3, 5).request(SdkAppId(1));
        assert_eq!(row.command, NOT_LOGGED);
        let cause = "2 requests were not logged, the last of them 2 ms after the first";
        assert_eq!(row.cause.as_deref(), Some(cause));
        // Afterwards there are places again, and nothing is said twice.
        assert!(waiting.note(noted(1, 9)));
        let (kept, taken) = waiting.take(|_| true);
        assert_eq!((kept.len(), taken.losses.len()), (1, 0));
    }

    #[test]
    fn what_is_put_back_comes_again_before_what_came_since_and_takes_its_places() {
        let mut waiting = Waiting::new(10, 3);
        for number in 0..4 {
            waiting.note(noted(1, number));
        }
        let (kept, mut taken) = waiting.take(|_| true);
        taken.parts = parts(kept);
        waiting.note(noted(1, 4));
        assert!(waiting.put_back(&mut taken));
        assert!(!waiting.put_back(&mut taken));
        waiting.note(noted(1, 5));
        let (kept, taken) = waiting.take(|_| true);
        assert_eq!(kept.iter().map(|noted| noted.reference).collect::<Vec<_>>(), [0, 1, 2, 4]);
        assert_eq!(taken.losses.iter().map(|(_, loss)| loss.count).collect::<Vec<_>>(), [2]);
        assert_eq!(taken.minutes.len(), 1);
    }

    #[test]
    fn parts_are_of_one_segment_and_no_longer_than_a_block() {
        let hour = 3_600_000;
        let mut rows: Vec<Noted> = (0..=BLOCK_MAX as u64).map(|number| noted(1, number)).collect();
        rows.push(noted(2, 0));
        rows.push(noted(1, hour));
        let parts = parts(rows);
        let mut lengths: Vec<_> =
            parts.iter().map(|(segment, part)| (segment.app.0, segment.hour, part.len())).collect();
        assert_eq!(lengths.first(), Some(&(1, 0, BLOCK_MAX)));
        lengths.sort_unstable();
        assert_eq!(lengths, [(1, 0, 1), (1, 0, BLOCK_MAX), (1, 1, 1), (2, 0, 1)]);
        assert_eq!(references(&parts).len(), BLOCK_MAX + 3);
    }
}
