//! A bounded sample of many values, spread evenly over all of them.

/// Keeps every value until there are too many, then every second, then every fourth, and so on.
/// No dice: the same values leave the same sample.
#[derive(Clone, Debug)]
pub(crate) struct Thinned<T> {
    kept: Vec<T>,
    most: usize,
    stride: u64,
    seen: u64,
}

impl<T> Thinned<T> {
    /// Keeps at most `most` values, at least 2, and never less than half as many if there are.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kept: Vec::new(),
            most,
            stride: 1,
            seen: 0,
        }
    }

    /// Takes the next value, made only if it is kept.
    pub(crate) fn push(&mut self, value: impl FnOnce() -> T) {
        let place = self.seen;
        self.seen += 1;
        if !place.is_multiple_of(self.stride) {
            return;
        }
        if self.kept.len() == self.most {
            let mut index = 0;
            self.kept.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.stride *= 2;
            if !place.is_multiple_of(self.stride) {
                return;
            }
        }
        self.kept.push(value());
    }

    /// What was kept, in order.
    pub(crate) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_all_kept_and_many_are_spread_evenly() {
        // A hundred of a thousand: every sixteenth is the first stride that fits. Ten of ten are
        // those themselves.
        let sample = |count: u64, most| {
            let mut thinned = Thinned::new(most);
            (0..count).for_each(|value| thinned.push(|| value));
            thinned.take()
        };
        assert_eq!(sample(10, 10), (0..10).collect::<Vec<u64>>());
        let many = sample(1_000, 100);
        assert_eq!(many, (0..1_000).step_by(16).collect::<Vec<u64>>());
        assert!(many.len() > 50);
    }
}
