//! Whatever may happen to a session.

use proptest::{option, prelude::*, sample::select};
use serde_json::{Value, json};
use wigwag_domain::{CallFailure, CallResult, Content, Media, MediaKind, Tap, TapKind};
use wigwag_flow::{Release, ReleaseTo};

use super::specs::words;

/// What happens next. A number chooses one of what was seen before, old ones among it.
#[derive(Clone, Debug)]
pub enum Act {
    Say(String),
    Tap(usize),
    Send(Content),
    /// Another number of the tenant.
    SayElsewhere(String),
    AnswerForm(usize, Value),
    /// The timer that the host has set goes off.
    Timer,
    /// One goes off that nobody set.
    TimerAfter(u32),
    Result(usize, CallResult),
    Resume(usize, Value),
    Release(Release),
    Move(&'static str),
    FailSend(usize, Option<i64>),
    OptOut,
}

fn content() -> BoxedStrategy<Content> {
    let kinds = select(vec![MediaKind::Image, MediaKind::Voice, MediaKind::Document]);
    let media = (kinds, option::of(words()), option::of(words())).prop_map(|(kind, caption, filename)| {
        Content::Media(Media { kind, id: "1".to_owned(), mime_type: Some("a/b".to_owned()), caption, filename })
    });
    let tap = ("[a-z~]{0,5}", words())
        .prop_map(|(id, title)| Content::Tap(Tap { kind: TapKind::ListReply, id, title, description: None }));
    let place = Just(Content::Location { latitude: 1.5, longitude: -2.0, name: None, address: Some("\0".to_owned()) });
    prop_oneof![
        media,
        tap,
        place,
        Just(Content::Reaction { message_id: "wamid.1".to_owned(), emoji: None }),
        Just(Content::Order { order: json!({"items": [1, 2]}) }),
        Just(Content::Contacts { contacts: json!([{"name": "Bo"}]) }),
    ]
    .boxed()
}

fn data() -> BoxedStrategy<Value> {
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    prop_oneof![
        4 => Just(json!({"amount": 7})),
        2 => words().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!("x".repeat(70_000))),
        1 => Just(json!("\u{1}".repeat(20_000))),
        1 => Just(deep),
    ]
    .boxed()
}

fn result() -> BoxedStrategy<CallResult> {
    use CallFailure::{Invalid, Network, Refused, Timeout, TooLarge, Unknown};
    let failed = select(vec![Timeout, Network, Refused, TooLarge, Invalid, Unknown])
        .prop_map(|class| CallResult::Failed { class, message: "so it went".to_owned() });
    let answered =
        (select(vec![200, 204, 404, 500]), data()).prop_map(|(status, body)| CallResult::Answered { status, body });
    prop_oneof![answered, failed].boxed()
}

pub fn act() -> impl Strategy<Value = Act> {
    let nodes = || select(vec!["a", "b", "c", "d", "e", "f", "nowhere"]);
    let to = prop_oneof![
        3 => Just(ReleaseTo::Next),
        1 => Just(ReleaseTo::End),
        2 => nodes().prop_map(|node| ReleaseTo::Node(node.to_owned())),
    ];
    let release = (to, option::of(data())).prop_map(|(to, data)| {
        let variables = data.into_iter().map(|data| ("x".to_owned(), data)).collect();
        Release { to, variables }
    });
    prop_oneof![
        8 => words().prop_map(Act::Say),
        6 => any::<usize>().prop_map(Act::Tap),
        2 => content().prop_map(Act::Send),
        1 => words().prop_map(Act::SayElsewhere),
        3 => (any::<usize>(), data()).prop_map(|(which, answer)| Act::AnswerForm(which, answer)),
        6 => Just(Act::Timer),
        1 => (0..100_000_000_u32).prop_map(Act::TimerAfter),
        8 => (any::<usize>(), result()).prop_map(|(which, result)| Act::Result(which, result)),
        4 => (any::<usize>(), data()).prop_map(|(which, data)| Act::Resume(which, data)),
        3 => release.prop_map(Act::Release),
        1 => nodes().prop_map(Act::Move),
        2 => (any::<usize>(), option::of(any::<i64>())).prop_map(|(which, code)| Act::FailSend(which, code)),
        1 => Just(Act::OptOut),
    ]
}
