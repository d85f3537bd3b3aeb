//! Owns asking the box over HTTP: JSON calls, pages, and metrics taken apart.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::Agent;

/// What the box answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body as it came.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("no JSON ({fault}): {self:?}"))
    }

    /// One text field of the JSON body; empty when it is not there.
    pub fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_default().to_owned()
    }
}

/// One server, asked as a browser or a driver's phone would.
#[derive(Clone, Debug)]
pub struct Http {
    agent: Agent,
    base: String,
}

impl Http {
    /// For the server at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(10)))
            // Loopback is asked straight, whatever the surroundings say.
            .proxy(None)
            .build();
        Self { agent: config.into(), base: base.trim_end_matches('/').to_owned() }
    }

    /// The address that a path has.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Asks, and tells a connection that fails.
    pub fn try_get(&self, path: &str) -> Result<Answer, ureq::Error> {
        let mut answer = self.agent.get(self.url(path)).call()?;
        Ok(Answer { status: answer.status().as_u16(), body: answer.body_mut().read_to_string()? })
    }

    /// Asks.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|fault| panic!("GET {path}: {fault}"))
    }

    /// The status of an answer and what kind it is, whatever its body.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn status_and_kind(&self, path: &str) -> (u16, String) {
        let answer = self.agent.get(self.url(path)).call().unwrap_or_else(|fault| panic!("GET {path}: {fault}"));
        let kind = answer.headers().get("Content-Type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        (answer.status().as_u16(), kind.to_owned())
    }

    /// Asks with a bearer token.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn get_as(&self, token: &str, path: &str) -> Answer {
        let request = self.agent.get(self.url(path)).header("Authorization", format!("Bearer {token}"));
        let mut answer = request.call().unwrap_or_else(|fault| panic!("GET {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        Answer { status: answer.status().as_u16(), body: text }
    }

    /// Sends JSON under an idempotency key with a bearer token.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn post_as(&self, token: &str, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.agent.post(self.url(path)).header("Idempotency-Key", key);
        let request = request.header("Authorization", format!("Bearer {token}"));
        let mut answer = request.send_json(body).unwrap_or_else(|fault| panic!("POST {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        Answer { status: answer.status().as_u16(), body: text }
    }

    /// Where a path sends the browser on to.
    ///
    /// # Panics
    /// When it does not.
    pub fn redirect(&self, path: &str) -> String {
        let request = self.agent.get(self.url(path)).config().max_redirects(0).max_redirects_will_error(false).build();
        let answer = request.call().unwrap_or_else(|fault| panic!("GET {path}: {fault}"));
        let to = answer.headers().get("Location").and_then(|to| to.to_str().ok());
        to.unwrap_or_else(|| panic!("GET {path} leads nowhere: {}", answer.status())).to_owned()
    }

    /// Sends JSON under an idempotency key.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn post(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.try_post(path, key, body).unwrap_or_else(|fault| panic!("POST {path}: {fault}"))
    }

    /// Sends JSON under an idempotency key as the administrator with this password.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn post_as_admin(&self, password: &str, path: &str, key: &str, body: &Value) -> Answer {
        let credentials = STANDARD.encode(format!("admin:{}", password.trim()));
        let request = self.agent.post(self.url(path)).header("Idempotency-Key", key);
        let request = request.header("Authorization", format!("Basic {credentials}"));
        let mut answer = request.send_json(body).unwrap_or_else(|fault| panic!("POST {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        Answer { status: answer.status().as_u16(), body: text }
    }

    /// Asks as the administrator with this password.
    ///
    /// # Panics
    /// When there is no answer at all.
    pub fn get_as_admin(&self, password: &str, path: &str) -> Answer {
        let credentials = STANDARD.encode(format!("admin:{}", password.trim()));
        let request = self.agent.get(self.url(path)).header("Authorization", format!("Basic {credentials}"));
        let mut answer = request.call().unwrap_or_else(|fault| panic!("GET {path}: {fault}"));
        let text = answer.body_mut().read_to_string().expect("an answer has a body");
        Answer { status: answer.status().as_u16(), body: text }
    }

    /// Sends JSON under an idempotency key, and tells a connection that fails.
    pub fn try_post(&self, path: &str, key: &str, body: &Value) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(self.url(path)).header("Idempotency-Key", key);
        let mut answer = request.send_json(body)?;
        Ok(Answer { status: answer.status().as_u16(), body: answer.body_mut().read_to_string()? })
    }

    /// The metrics as they are now.
    pub fn metrics(&self) -> Metrics {
        Metrics::parse(&self.get("/metrics").body)
    }
}

/// Metrics as Prometheus reads them.
#[derive(Clone, Debug)]
pub struct Metrics(Vec<Sample>);

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Metrics {
    /// Takes the text form apart; label values may hold neither commas nor quotes, and ours never do.
    pub fn parse(text: &str) -> Self {
        Self(text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect())
    }

    /// The sum over all series of this name that carry these labels; 0 when there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let carries = |sample: &&Sample| {
            sample.name == name
                && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|is| is == value))
        };
        self.0.iter().filter(carries).map(|sample| sample.value).sum()
    }

    /// Whether there is any series of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|sample| sample.name == name)
    }
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
    let pairs = rest.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    let labels = pairs.map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned())).collect();
    Some(Sample { name: name.to_owned(), labels, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_summed_over_the_labels_that_are_asked_for() {
        let metrics =
            Metrics::parse("# HELP a b\na{x=\"1\",y=\"2\"} 3\na{x=\"1\",y=\"3\"} 4\na{x=\"2\",y=\"2\"} 8\nb 0.5\n");
        assert!((metrics.sum("a", &[("x", "1")]) - 7.0).abs() < f64::EPSILON);
        assert!((metrics.sum("a", &[]) - 15.0).abs() < f64::EPSILON);
        assert!((metrics.sum("b", &[]) - 0.5).abs() < f64::EPSILON);
        assert!(!metrics.has("c") && metrics.sum("c", &[]).abs() < f64::EPSILON);
    }
}
