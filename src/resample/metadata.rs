//! Samples with metadata, such as the id of a trace, as they come from [`crate::ingest`].

use crate::k6::Sample;
use crate::wire::Exemplar;

/// The length in bytes at which values are cut: longer than all that fit into an exemplar.
const MAX_VALUE_BYTES: usize = (Exemplar::MAX_CHARS + 1) * 4;

/// Samples, each with its metadata. All text is in one piece.
#[derive(Debug, Default, PartialEq)]
pub struct SamplesWithMetadata {
    samples: Vec<Sample>,
    /// For each sample the end of its pairs.
    ends: Vec<usize>,
    /// For each pair the ends of its name and of its value in `text`.
    pairs: Vec<[usize; 2]>,
    text: String,
}

impl SamplesWithMetadata {
    /// Adds a sample. Values that are too long for an exemplar are cut.
    pub fn push<'a>(&mut self, sample: Sample, metadata: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, value) in metadata {
            self.text.push_str(name);
            let name_end = self.text.len();
            self.text.push_str(&value[..value.floor_char_boundary(MAX_VALUE_BYTES)]);
            self.pairs.push([name_end, self.text.len()]);
        }
        self.samples.push(sample);
        self.ends.push(self.pairs.len());
    }

    /// The samples without their metadata.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Its memory in bytes, without what is reserved for more.
    pub fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.pairs) + size_of_val(&*self.ends) + size_of_val(&*self.samples)
    }

    /// Returns each sample with its metadata: names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&Sample, impl Iterator<Item = (&str, &str)> + Clone)> {
        self.samples.iter().enumerate().map(|(index, sample)| {
            let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
            (sample, (begin..self.ends[index]).map(|pair| self.pair(pair)))
        })
    }

    fn pair(&self, index: usize) -> (&str, &str) {
        let begin = index.checked_sub(1).map_or(0, |before| self.pairs[before][1]);
        let [name_end, value_end] = self.pairs[index];
        (&self.text[begin..name_end], &self.text[name_end..value_end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_has_its_own_metadata() {
        let metadata: [&[(&str, &str)]; 4] = [&[("a", "1"), ("bc", "")], &[], &[("", "ä")], &[("d", "2")]];
        let mut samples = SamplesWithMetadata::default();
        for (series, metadata) in (1..).zip(metadata) {
            samples.push(Sample { series, time_ms: 5, value: 0.5 }, metadata.iter().copied());
        }
        let read: Vec<_> = samples.iter().map(|(sample, metadata)| (sample.series, Vec::from_iter(metadata))).collect();
        assert_eq!(read, Vec::from_iter((1..).zip(metadata.map(<[_]>::to_vec))));
        assert_eq!(samples.samples().len(), 4);
    }

    #[test]
    fn a_value_that_fits_into_no_exemplar_is_cut_between_characters() {
        let mut samples = SamplesWithMetadata::default();
        samples.push(Sample { series: 1, time_ms: 5, value: 0.5 }, [("a", &*"€".repeat(10_000))].into_iter());
        let (_, mut metadata) = samples.iter().next().expect("is there");
        let (_, value) = metadata.next().expect("is there");
        assert!(value.len() <= MAX_VALUE_BYTES && value.chars().count() > Exemplar::MAX_CHARS);
    }
}
