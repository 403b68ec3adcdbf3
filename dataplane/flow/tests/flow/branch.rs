//! Splits, attributes of a contact, and ends.

use std::collections::HashMap;

use serde_json::json;
use uuid::Uuid;
use wigwag_domain::ContactId;
use wigwag_flow::SessionStatus;

use crate::support::{Customer, text};

const SPLIT: &str = "{name: a, split: {ways: [{weight: 1, next: x}, {weight: 6, next: y}, {weight: 3, next: z}]}},
    {name: x, end: {reason: x}}, {name: y, end: {reason: y}}, {name: z, end: {reason: z}}";

#[test]
fn a_split_is_near_its_weights_over_ten_thousand_contacts() {
    let mut counts = HashMap::<String, u32>::new();
    let mut ana = Customer::of_nodes(SPLIT);
    for number in 0..10_000 {
        ana.session = None;
        ana.contact.id = ContactId(Uuid::from_u128(number));
        ana.send(text("hola"));
        *counts.entry(ana.context("endReason").as_str().unwrap().to_owned()).or_default() += 1;
    }
    for (way, expected) in [("x", 1_000_i64), ("y", 6_000), ("z", 3_000)] {
        let off = (i64::from(counts[way]) - expected).abs();
        // Five standard deviations.
        assert!(off < 250, "{way}: {counts:?}");
    }
}

#[test]
fn a_contact_goes_the_same_way_whenever_it_comes() {
    for number in 0..20 {
        let mut ana = Customer::of_nodes(SPLIT);
        ana.contact.id = ContactId(Uuid::from_u128(number));
        let mut ways: Vec<_> = (0..5)
            .map(|_| {
                ana.send(text("hola"));
                ana.context("endReason")
            })
            .collect();
        ways.dedup();
        assert_eq!(ways.len(), 1, "{ways:?}");
    }
}

#[test]
fn two_splits_of_a_flow_part_contacts_independently() {
    let two = "{name: a, split: {ways: [{weight: 1, next: b}, {weight: 1, next: c}]}},
        {name: b, split: {ways: [{weight: 1, next: x}, {weight: 1, next: y}]}}, {name: c, end: {reason: c}},
        {name: x, end: {reason: x}}, {name: y, end: {reason: y}}";
    let mut ana = Customer::of_nodes(two);
    let mut seen: Vec<_> = (0..100)
        .map(|number| {
            ana.session = None;
            ana.contact.id = ContactId(Uuid::from_u128(number));
            ana.send(text("hola"));
            ana.context("endReason").to_string()
        })
        .collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn what_is_kept_with_a_contact_is_there_in_the_next_conversation_and_at_once() {
    let mut ana = Customer::of_nodes(
        "{name: a, assign: {set: {contact.visits: 'has(contact.visits) ? contact.visits + 1 : 1', seen: contact.visits}, next: b}},
         {name: b, message: {text: '{{ contact.visits }} {{ seen }}'}}",
    );
    assert_eq!(ana.says("hola"), ["1 1"]);
    assert_eq!(ana.says("hola"), ["2 2"]);
    assert_eq!(ana.contact.attributes.get("visits"), Some(&json!(2)));
}

#[test]
fn an_end_has_a_reason() {
    let mut ana = Customer::of_nodes("{name: a, end: {reason: 'sold to {{ contact.name }}'}}");
    ana.says("hola");
    assert_eq!(ana.context("endReason"), "sold to Ana");
    assert_eq!((ana.session().status(), ana.session().due()), (SessionStatus::Completed, None));

    let mut ana = Customer::of_nodes("{name: a, end: {}}");
    ana.says("hola");
    assert_eq!(ana.context("endReason"), "end");
}

#[test]
fn what_the_tenant_keeps_is_read_and_never_written() {
    let mut ana = Customer::of_nodes("{name: a, message: {text: '{{ tenant.hours.open }} {{ tenant.name }}'}}")
        .at("variables: {hours: {open: '9:00'}, name: Acme}");
    assert_eq!(ana.says("hola"), ["9:00 Acme"]);
}
