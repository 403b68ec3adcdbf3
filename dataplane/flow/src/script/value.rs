//! JavaScript's values, and how they turn into one another.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    ScriptProblem,
    function::{Kind, Method},
    number,
    pattern::Pattern,
    text::Builder,
};
use crate::expression::Fuel;

/// A value while a condition runs. What the session holds is borrowed as long as nothing must be made.
#[derive(Clone, Debug)]
pub(super) enum Js<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    /// A list or an object of the session's.
    Data(Cow<'a, Value>),
    /// A list that the condition made.
    List(Vec<Js<'a>>),
    /// An object that the condition made.
    Object(Vec<(String, Js<'a>)>),
    /// Milliseconds since 1970, or `NaN`.
    Date(f64),
    Pattern(&'a Pattern),
    /// A method that is not called.
    Method(Method),
    /// The object `context`.
    Context,
}

pub(super) type Outcome<T> = Result<T, ScriptProblem>;

impl<'a> Js<'a> {
    /// What `typeof` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Method(_) => "function",
            _ => "object",
        }
    }

    /// What a value is, in words.
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            _ => match self.kind() {
                Kind::Bool => "a truth value",
                Kind::Number => "a number",
                Kind::Text => "a text",
                Kind::List => "a list",
                Kind::Date => "a date",
                Kind::Pattern => "a pattern",
                Kind::Method => "a method",
                Kind::Object => "an object",
            },
        }
    }

    /// What methods go by; `null` and `undefined`, which have none, do not come here.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::List(_) => Kind::List,
            Self::Data(value) if value.is_array() => Kind::List,
            Self::Date(_) => Kind::Date,
            Self::Pattern(_) => Kind::Pattern,
            Self::Method(_) => Kind::Method,
            Self::Undefined | Self::Null | Self::Data(_) | Self::Object(_) | Self::Context => Kind::Object,
        }
    }

    pub fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(flag) => *flag,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            _ => true,
        }
    }

    fn is_object(&self) -> bool {
        !self.is_nullish() && !matches!(self, Self::Bool(_) | Self::Number(_) | Self::Text(_))
    }

    /// As a text: what `String(x)` and `${x}` give.
    pub fn text(self, fuel: &Fuel) -> Outcome<Cow<'a, str>> {
        Ok(match self {
            Self::Undefined => "undefined".into(),
            Self::Null => "null".into(),
            Self::Bool(flag) => if flag { "true" } else { "false" }.into(),
            Self::Number(number) => number::print(number).into(),
            Self::Text(text) => text,
            Self::Date(_) => {
                return Err(ScriptProblem::Threw("a date is used as a text: write toISOString() behind it".to_owned()));
            }
            Self::Pattern(pattern) => pattern.written.as_str().into(),
            Self::Method(method) => format!("function {}() {{ [native code] }}", method.name()).into(),
            Self::Object(_) | Self::Context => "[object Object]".into(),
            Self::Data(ref value) if value.is_object() => "[object Object]".into(),
            list @ (Self::List(_) | Self::Data(_)) => join(list.items(fuel)?, ",", fuel)?.into(),
        })
    }

    /// As a number: what `Number(x)` gives.
    pub fn number(self, fuel: &Fuel) -> Outcome<f64> {
        match self {
            Self::Undefined | Self::Object(_) | Self::Pattern(_) | Self::Method(_) | Self::Context => Ok(f64::NAN),
            Self::Null => Ok(0.0),
            Self::Bool(flag) => Ok(f64::from(flag)),
            Self::Number(number) => Ok(number),
            Self::Date(time) => Ok(time),
            text => {
                let text = text.text(fuel)?;
                fuel.burn(text.len())?;
                Ok(number::parse(&text))
            }
        }
    }

    /// A value that is no object, as operators want it. A date becomes a number or, with `text`, a text.
    pub fn primitive(self, text: bool, fuel: &Fuel) -> Outcome<Self> {
        match self {
            Self::Date(time) if !text => Ok(Self::Number(time)),
            object if object.is_object() => object.text(fuel).map(Self::Text),
            primitive => Ok(primitive),
        }
    }

    /// The elements of a list, or of what the list was made of; empty for what is no list.
    pub fn items(self, fuel: &Fuel) -> Outcome<Vec<Self>> {
        let items: Vec<_> = match self {
            Self::List(items) => items,
            Self::Data(Cow::Borrowed(Value::Array(items))) => {
                fuel.burn(items.len() * size_of::<Self>())?;
                items.iter().map(Self::from).collect()
            }
            Self::Data(Cow::Owned(Value::Array(items))) => {
                fuel.burn(items.len() * size_of::<Self>())?;
                items.into_iter().map(|item| Self::from(Cow::Owned(item))).collect()
            }
            _ => Vec::new(),
        };
        Ok(items)
    }

    /// The property of a value's own, or the method, that a name stands for. `null` and `undefined` have none.
    pub fn member(self, name: &str, fuel: &Fuel) -> Outcome<Self> {
        let place = number::place(name);
        let kind = self.kind();
        let own = match (self, place) {
            (Self::Text(text), _) if name == "length" => {
                fuel.burn(text.len())?;
                Some(length(super::text::units(&text)))
            }
            (Self::Text(text), Some(place)) => {
                fuel.burn(text.len())?;
                let one = super::text::between_of(text, place, place.saturating_add(1));
                (!one.is_empty()).then_some(Self::Text(one))
            }
            (Self::List(items), _) if name == "length" => Some(length(items.len())),
            (Self::List(mut items), Some(place)) if place < items.len() => Some(items.swap_remove(place)),
            (Self::List(_), None) if matches!(name, "index" | "groups" | "input") => {
                return Err(ScriptProblem::Threw(format!(
                    "`.{name}` of a match is not known here: take its groups by number, as in [1]"
                )));
            }
            (Self::Data(value), place) => match (value, place) {
                (value, _) if value.is_array() && name == "length" => {
                    Some(length(value.as_array().map_or(0, Vec::len)))
                }
                (Cow::Borrowed(Value::Array(items)), Some(place)) => items.get(place).map(Self::from),
                (Cow::Owned(Value::Array(mut items)), Some(place)) => {
                    items.get_mut(place).map(|item| Self::from(Cow::Owned(item.take())))
                }
                (Cow::Borrowed(Value::Object(map)), _) => map.get(name).map(Self::from),
                (Cow::Owned(Value::Object(mut map)), _) => {
                    map.get_mut(name).map(|item| Self::from(Cow::Owned(item.take())))
                }
                _ => None,
            },
            // The last of two that are called the same.
            (Self::Object(entries), _) => {
                entries.into_iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        };
        let method = || Method::find(name).map(|(method, _)| method).filter(|method| method.belongs_to(kind));
        Ok(own.or_else(|| method().map(Self::Method)).unwrap_or(Self::Undefined))
    }

    /// The names of an object's own properties with their values, in JavaScript's order: whole numbers first.
    pub fn entries(self, fuel: &Fuel) -> Outcome<Vec<(String, Self)>> {
        let mut entries: Vec<(String, Self)> = match self {
            Self::Object(entries) => entries,
            Self::Data(Cow::Borrowed(Value::Object(map))) => {
                fuel.burn(map.keys().map(|key| key.len() + size_of::<Self>()).sum())?;
                map.iter().map(|(key, value)| (key.clone(), Self::from(value))).collect()
            }
            Self::Data(Cow::Owned(Value::Object(map))) => owned_entries(map),
            Self::Text(text) => {
                fuel.burn(text.len() * size_of::<Self>())?;
                let units = super::text::characters(&text);
                units.into_iter().enumerate().map(|(at, one)| (at.to_string(), Self::Text(one.into()))).collect()
            }
            list => {
                let items = list.items(fuel)?;
                fuel.burn(items.len() * size_of::<Self>())?;
                items.into_iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
            }
        };
        entries.sort_by_key(|(key, _)| number::place(key).unwrap_or(usize::MAX));
        Ok(entries)
    }

    /// `===`.
    pub fn is_same(&self, other: &Self, fuel: &Fuel) -> Outcome<bool> {
        Ok(match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) | (Self::Context, Self::Context) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => {
                fuel.burn(a.len().min(b.len()))?;
                a == b
            }
            (Self::Data(Cow::Borrowed(a)), Self::Data(Cow::Borrowed(b))) => std::ptr::eq(*a, *b),
            (Self::Pattern(a), Self::Pattern(b)) => std::ptr::eq(*a, *b),
            (Self::Method(a), Self::Method(b)) => a == b,
            _ => false,
        })
    }

    /// `==`.
    pub fn equals_loosely(self, other: Self, fuel: &Fuel) -> Outcome<bool> {
        if self.is_nullish() || other.is_nullish() {
            return Ok(self.is_nullish() && other.is_nullish());
        }
        match (self.is_object(), other.is_object()) {
            (true, false) => self.primitive(true, fuel)?.equals_loosely(other, fuel),
            (false, true) => self.equals_loosely(other.primitive(true, fuel)?, fuel),
            (false, false) if self.type_name() != other.type_name() => Ok(self.number(fuel)? == other.number(fuel)?),
            _ => self.is_same(&other, fuel),
        }
    }
}

impl<'a> From<&'a Value> for Js<'a> {
    fn from(value: &'a Value) -> Self {
        Self::from(Cow::Borrowed(value))
    }
}

impl<'a> From<Cow<'a, Value>> for Js<'a> {
    fn from(value: Cow<'a, Value>) -> Self {
        match value {
            Cow::Borrowed(Value::String(text)) => Self::Text(Cow::Borrowed(text)),
            Cow::Owned(Value::String(text)) => Self::Text(Cow::Owned(text)),
            value => match value.as_ref() {
                Value::Null => Self::Null,
                Value::Bool(flag) => Self::Bool(*flag),
                Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
                _ => Self::Data(value),
            },
        }
    }
}

fn owned_entries<'a>(map: Map<String, Value>) -> Vec<(String, Js<'a>)> {
    map.into_iter().map(|(key, value)| (key, Js::from(Cow::Owned(value)))).collect()
}

/// A length as a value.
pub(super) fn length<'a>(length: usize) -> Js<'a> {
    Js::Number(length as f64)
}

/// The elements of a list as one text; `null` and `undefined` are empty in it.
pub(super) fn join(items: Vec<Js<'_>>, separator: &str, fuel: &Fuel) -> Outcome<String> {
    let mut out = Builder::new(fuel);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(separator)?;
        }
        if !item.is_nullish() {
            out.push(&item.text(fuel)?)?;
        }
    }
    Ok(out.finish())
}
