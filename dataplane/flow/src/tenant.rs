//! The tenant as its conversations see it: variables, languages, time zone, escape words.

use jiff::tz::TimeZone;
use serde_json::Value;
use wigwag_crds::{WhatsAppTenantSpec, flow::Finding};

use crate::{
    escape::{self, Escape},
    findings::Findings,
    resume::ResumeKey,
    template::{Form, Words},
};

/// The tenant's variables, in bytes of JSON.
const MAX_VARIABLES: usize = 16 * 1_024;

/// What a tenant gives its conversations.
#[derive(Clone, Debug)]
pub struct Tenant {
    variables: Value,
    zone: TimeZone,
    language: String,
    languages: Vec<String>,
    escape: Vec<Escape>,
    fallback: Option<Words>,
    resume: Option<(String, ResumeKey)>,
}

impl Tenant {
    /// What a tenant's manifest says, and what is wrong with it. A wrong part is left out: UTC, no fallback.
    #[must_use]
    pub fn compile(spec: &WhatsAppTenantSpec) -> (Self, Vec<Finding>) {
        let mut findings = Findings::default();
        let zone = TimeZone::get(&spec.locale.timezone).unwrap_or_else(|_| {
            let message = format!(
                "there is no time zone {:?}: write a name of the IANA database, such as America/Argentina/Buenos_Aires",
                spec.locale.timezone
            );
            findings.error(None, "locale.timezone", message);
            TimeZone::UTC
        });
        let variables = spec.variables.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect();
        let variables = Value::Object(variables);
        if crate::expression::size(&variables) > MAX_VARIABLES {
            findings.error(None, "variables", "the variables have more than 16 KiB: keep less");
        }
        let fallback = spec.fallback_message.as_ref().and_then(|text| match Words::parse(text, Form::Native) {
            Ok(words) => Some(words),
            Err(errors) => {
                errors.iter().for_each(|error| findings.error(None, "fallbackMessage", error.to_string()));
                None
            }
        });
        let tenant = Self {
            variables,
            zone,
            language: spec.locale.language.clone(),
            languages: spec.locale.languages.clone(),
            escape: escape::compile(&spec.escape, "escape", &mut findings),
            fallback,
            resume: None,
        };
        (tenant, findings.into_vec())
    }

    /// The tenant with the URL (`https://HOST`) and the key of its resume tokens; without them `resume` has no value.
    #[must_use]
    pub fn with_resume(mut self, base: String, key: ResumeKey) -> Self {
        self.resume = Some((base, key));
        self
    }

    /// The key of its resume tokens.
    #[must_use]
    pub fn resume_key(&self) -> Option<ResumeKey> {
        self.resume.as_ref().map(|(_, key)| *key)
    }

    pub(crate) fn variables(&self) -> &Value {
        &self.variables
    }

    pub(crate) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub(crate) fn language(&self) -> &str {
        &self.language
    }

    pub(crate) fn languages(&self) -> &[String] {
        &self.languages
    }

    pub(crate) fn escape(&self) -> &[Escape] {
        &self.escape
    }

    pub(crate) fn fallback(&self) -> Option<&Words> {
        self.fallback.as_ref()
    }

    pub(crate) fn resume(&self) -> Option<&(String, ResumeKey)> {
        self.resume.as_ref()
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            variables: Value::Object(serde_json::Map::new()),
            zone: TimeZone::UTC,
            language: "es".to_owned(),
            languages: Vec::new(),
            escape: Vec::new(),
            fallback: None,
            resume: None,
        }
    }
}
