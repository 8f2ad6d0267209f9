//! Latencies, counted in buckets of at most 0.8 % width.

use std::time::Duration;

use serde::Serialize;

/// Buckets per power of two.
const STEPS: usize = 128;
const STEPS_BITS: u32 = STEPS.trailing_zeros();
/// Enough for latencies of up to 2^40 ns, 18 minutes; longer ones count as that.
const BUCKETS: usize = STEPS * (40 - STEPS_BITS as usize + 1);

/// A histogram of latencies. Recording takes a few nanoseconds and never allocates.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

/// What a histogram says, in microseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Quantiles {
    /// How many latencies were recorded.
    pub(crate) count: u64,
    /// Half were at most this long.
    pub(crate) p50_us: f64,
    /// 99 % were at most this long.
    pub(crate) p99_us: f64,
    /// 99.9 % were at most this long.
    pub(crate) p999_us: f64,
    /// The longest of all.
    pub(crate) max_us: f64,
}

impl Histogram {
    /// An empty histogram.
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0, longest: Duration::ZERO }
    }

    /// Counts one latency.
    pub(crate) fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.longest = self.longest.max(latency);
    }

    /// The usual quantiles, each the upper end of its bucket.
    pub(crate) fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.total,
            p50_us: self.quantile_us(0.5),
            p99_us: self.quantile_us(0.99),
            p999_us: self.quantile_us(0.999),
            max_us: self.longest.as_secs_f64() * 1e6,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count of latencies is far below 2^52"
    )]
    fn quantile_us(&self, share: f64) -> f64 {
        let rank = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return (upper_end(index) as f64 / 1e3).min(self.longest.as_secs_f64() * 1e6);
            }
        }
        0.0
    }
}

fn bucket(nanos: u64) -> usize {
    let power = 63 - nanos.max(STEPS as u64).leading_zeros();
    let shift = power - STEPS_BITS;
    let step = usize::try_from(nanos >> shift).unwrap_or(usize::MAX);
    (shift as usize).saturating_mul(STEPS).saturating_add(step).min(BUCKETS - 1)
}

fn upper_end(bucket: usize) -> u64 {
    if bucket < 2 * STEPS {
        return bucket as u64;
    }
    let shift = bucket / STEPS - 1;
    let step = (bucket % STEPS + STEPS) as u64;
    ((step + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_value_and_is_narrow() {
        for nanos in [0, 1, 127, 128, 255, 256, 257, 999, 65_537, 1_000_000, 123_456_789_012] {
            let upper = upper_end(bucket(nanos));
            assert!(upper >= nanos, "{nanos} lies above its bucket's end {upper}");
            assert!(upper - nanos <= nanos / 128, "bucket of {nanos} ends at {upper}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::new();
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let quantiles = histogram.quantiles();
        assert_eq!(quantiles.count, 1000);
        assert!((quantiles.p50_us / 500.0 - 1.0).abs() < 0.01, "{quantiles:?}");
        assert!((quantiles.p99_us / 990.0 - 1.0).abs() < 0.01, "{quantiles:?}");
        assert!((quantiles.max_us - 1000.0).abs() < 0.1, "{quantiles:?}");
    }

    #[test]
    fn nothing_recorded_gives_zeros() {
        assert_eq!(Histogram::new().quantiles().count, 0);
        assert!(Histogram::new().quantiles().p99_us < f64::EPSILON);
    }
}
