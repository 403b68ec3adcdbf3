//! What conditions may call. Anything else does not compile.

/// A method of a value: called behind a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Includes,
    StartsWith,
    EndsWith,
    IndexOf,
    LastIndexOf,
    ToLowerCase,
    ToUpperCase,
    Trim,
    TrimStart,
    TrimEnd,
    Slice,
    Substring,
    Substr,
    CharAt,
    At,
    Split,
    Replace,
    ReplaceAll,
    Match,
    Test,
    Search,
    PadStart,
    PadEnd,
    Concat,
    Repeat,
    Normalize,
    LocaleCompare,
    ToString,
    ToFixed,
    Join,
    GetHours,
    GetDay,
    GetDate,
    GetMonth,
    GetFullYear,
    GetMinutes,
    GetSeconds,
    GetTime,
    ToIsoString,
}

/// What has methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    List,
    Date,
    Pattern,
    Method,
    Object,
}

/// A function that stands by itself: `Number(x)`, `Math.max(x, y)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Number,
    String,
    Boolean,
    ParseInt,
    ParseFloat,
    /// `isNaN(x)`, which makes a number of `x` first.
    IsNan,
    IsFinite,
    /// `Number.isNaN(x)`, false for all that is no number.
    NumberIsNan,
    NumberIsFinite,
    NumberIsInteger,
    ArrayIsArray,
    Abs,
    Ceil,
    Floor,
    Round,
    Min,
    Max,
    Trunc,
    Sign,
    Pow,
    Sqrt,
    JsonStringify,
    JsonParse,
    Keys,
    Values,
    Entries,
    /// `new Date()`, `new Date(x)`.
    NewDate,
    DateNow,
}

/// Any number of arguments.
const ANY: usize = usize::MAX;

/// Name, method, the most arguments that it looks at.
const METHODS: [(&str, Method, usize); 41] = [
    ("includes", Method::Includes, 2),
    ("startsWith", Method::StartsWith, 2),
    ("endsWith", Method::EndsWith, 2),
    ("indexOf", Method::IndexOf, 2),
    ("lastIndexOf", Method::LastIndexOf, 2),
    ("toLowerCase", Method::ToLowerCase, 0),
    ("toUpperCase", Method::ToUpperCase, 0),
    ("toLocaleLowerCase", Method::ToLowerCase, 0),
    ("toLocaleUpperCase", Method::ToUpperCase, 0),
    ("trim", Method::Trim, 0),
    ("trimStart", Method::TrimStart, 0),
    ("trimEnd", Method::TrimEnd, 0),
    ("slice", Method::Slice, 2),
    ("substring", Method::Substring, 2),
    ("substr", Method::Substr, 2),
    ("charAt", Method::CharAt, 1),
    ("at", Method::At, 1),
    ("split", Method::Split, 2),
    ("replace", Method::Replace, 2),
    ("replaceAll", Method::ReplaceAll, 2),
    ("match", Method::Match, 1),
    ("test", Method::Test, 1),
    ("search", Method::Search, 1),
    ("padStart", Method::PadStart, 2),
    ("padEnd", Method::PadEnd, 2),
    ("concat", Method::Concat, ANY),
    ("repeat", Method::Repeat, 1),
    ("normalize", Method::Normalize, 1),
    ("localeCompare", Method::LocaleCompare, 1),
    ("toString", Method::ToString, 1),
    ("toFixed", Method::ToFixed, 1),
    ("join", Method::Join, 1),
    ("getHours", Method::GetHours, 0),
    ("getDay", Method::GetDay, 0),
    ("getDate", Method::GetDate, 0),
    ("getMonth", Method::GetMonth, 0),
    ("getFullYear", Method::GetFullYear, 0),
    ("getMinutes", Method::GetMinutes, 0),
    ("getSeconds", Method::GetSeconds, 0),
    ("getTime", Method::GetTime, 0),
    ("toISOString", Method::ToIsoString, 0),
];

/// Name, function, the most arguments that it looks at.
const FUNCTIONS: [(&str, Function, usize); 30] = [
    ("Number", Function::Number, 1),
    ("String", Function::String, 1),
    ("Boolean", Function::Boolean, 1),
    ("parseInt", Function::ParseInt, 2),
    ("parseFloat", Function::ParseFloat, 1),
    ("isNaN", Function::IsNan, 1),
    ("isFinite", Function::IsFinite, 1),
    ("Number.parseInt", Function::ParseInt, 2),
    ("Number.parseFloat", Function::ParseFloat, 1),
    ("Number.isNaN", Function::NumberIsNan, 1),
    ("Number.isFinite", Function::NumberIsFinite, 1),
    ("Number.isInteger", Function::NumberIsInteger, 1),
    ("Array.isArray", Function::ArrayIsArray, 1),
    ("Math.abs", Function::Abs, 1),
    ("Math.ceil", Function::Ceil, 1),
    ("Math.floor", Function::Floor, 1),
    ("Math.round", Function::Round, 1),
    ("Math.min", Function::Min, ANY),
    ("Math.max", Function::Max, ANY),
    ("Math.trunc", Function::Trunc, 1),
    ("Math.sign", Function::Sign, 1),
    ("Math.pow", Function::Pow, 2),
    ("Math.sqrt", Function::Sqrt, 1),
    ("JSON.stringify", Function::JsonStringify, 1),
    ("JSON.parse", Function::JsonParse, 1),
    ("Object.keys", Function::Keys, 1),
    ("Object.values", Function::Values, 1),
    ("Object.entries", Function::Entries, 1),
    ("Date.now", Function::DateNow, 0),
    ("new Date", Function::NewDate, 1),
];

/// Methods of lists that take a function, which conditions have none of.
pub(super) const TAKE_FUNCTIONS: [&str; 12] = [
    "some",
    "every",
    "filter",
    "map",
    "find",
    "findIndex",
    "findLast",
    "forEach",
    "reduce",
    "flatMap",
    "sort",
    "findLastIndex",
];

impl Method {
    /// A method and the most arguments that it looks at.
    pub fn find(name: &str) -> Option<(Self, usize)> {
        METHODS.into_iter().find(|(known, ..)| *known == name).map(|(_, method, most)| (method, most))
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        METHODS.into_iter().map(|(name, ..)| name)
    }

    /// Whether values of a kind have this method.
    pub fn belongs_to(self, kind: Kind) -> bool {
        match self {
            Self::ToString => true,
            Self::ToFixed => kind == Kind::Number,
            Self::Join => kind == Kind::List,
            Self::Test => kind == Kind::Pattern,
            Self::GetHours
            | Self::GetDay
            | Self::GetDate
            | Self::GetMonth
            | Self::GetFullYear
            | Self::GetMinutes
            | Self::GetSeconds
            | Self::GetTime
            | Self::ToIsoString => kind == Kind::Date,
            Self::Includes | Self::IndexOf | Self::LastIndexOf | Self::Slice | Self::At | Self::Concat => {
                matches!(kind, Kind::Text | Kind::List)
            }
            _ => kind == Kind::Text,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        METHODS.into_iter().find(|(_, method, _)| *method == self).map_or("", |(name, ..)| name)
    }
}

impl Function {
    /// A function and the most arguments that it looks at.
    pub fn find(name: &str) -> Option<(Self, usize)> {
        FUNCTIONS.into_iter().find(|(known, ..)| *known == name).map(|(_, function, most)| (function, most))
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.into_iter().map(|(name, ..)| name)
    }
}
