//! Samples as text.

use std::fmt;

use http::header::HeaderValue;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::families::{ALL, Family, Kind};
use super::histogram::BOUNDS;
use super::samples::{Samples, Value};

/// The two ways to write them down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Version 0.0.4 of Prometheus's own text format.
    Prometheus,
    /// `OpenMetrics` 1.0.0.
    OpenMetrics,
}

impl Exposition {
    /// What an `Accept` field asks for; without one, and for whatever else it names, the older.
    pub fn of(accept: Option<&HeaderValue>) -> Self {
        let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wants = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            parts.next().is_some_and(|of| of.eq_ignore_ascii_case("application/openmetrics-text"))
                && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "version=0.0.1"))
        };
        if accept.split(',').any(wants) { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// Its media type.
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }

    /// Writes `samples` down.
    ///
    /// Fails where a label cannot be written, which none can that a family has.
    pub fn write(self, samples: Samples) -> Result<String, fmt::Error> {
        let (mut text, mut registry) = (String::new(), Registry::default());
        registry.register_collector(Box::new(samples));
        match self {
            Self::Prometheus => prometheus_text::encode(&mut text, &registry)?,
            Self::OpenMetrics => text::encode(&mut text, &registry)?,
        }
        Ok(text)
    }
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in ALL {
            let mut samples = self.of(family).peekable();
            if samples.peek().is_none() {
                continue;
            }
            let kind = match family.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for (values, value) in samples {
                let labels: Vec<(&str, &str)> =
                    family.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
                write(metric.encode_family(&labels)?, family, value)?;
            }
        }
        Ok(())
    }
}

fn write(mut metric: MetricEncoder<'_>, family: &Family, value: &Value) -> fmt::Result {
    match (family.kind, value) {
        (Kind::Counter, Value::Count(count)) => ConstCounter::new(*count).encode(metric),
        (Kind::Counter, Value::Number(number)) => ConstCounter::new(*number).encode(metric),
        (Kind::Gauge, Value::Count(count)) => ConstGauge::new(*count).encode(metric),
        (Kind::Gauge, Value::Number(number)) => ConstGauge::new(*number).encode(metric),
        (Kind::Histogram, Value::Durations(counts)) => {
            let buckets: Vec<_> = BOUNDS.into_iter().zip(counts.buckets).collect();
            let (sum, count) = (counts.sum_seconds(), counts.count());
            metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }
        _ => Err(fmt::Error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: Option<&'static str>, expected: Exposition) {
        assert_eq!(Exposition::of(accept.map(HeaderValue::from_static).as_ref()), expected);
    }

    #[test]
    fn whoever_asks_for_openmetrics_gets_it() {
        check(None, Exposition::Prometheus);
        check(Some("*/*"), Exposition::Prometheus);
        check(Some("text/plain;version=0.0.4"), Exposition::Prometheus);
        check(Some("application/openmetrics-text;q=0"), Exposition::Prometheus);
        // As Prometheus 3 asks.
        check(
            Some(
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2",
            ),
            Exposition::OpenMetrics,
        );
    }
}
