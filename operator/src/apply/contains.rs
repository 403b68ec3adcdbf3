//! Whether an object as it stands contains what we want of it.
//!
//! Lists are the difficult part: the API server merges some by key and replaces others as a whole. What we write has
//! lists of both sorts: those whose items have a key may have more items than ours, all others must be just ours.

use serde_json::Value;

use super::quantity;

/// Keys by which the API server merges lists, the strongest first: two mounts may be of one volume, so that a mount's
/// name does not name it.
const LIST_KEYS: [&str; 3] = ["uid", "mountPath", "name"];

/// Whether every field that is wanted stands, with that value.
pub fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            live.get(key).is_some_and(|live| match key.as_str() {
                // Stored in canonical form: 1024Mi comes back as 1Gi.
                "limits" | "requests" => same_quantities(live, wanted),
                _ => contains(live, wanted),
            })
        }),
        (Value::Array(live), Value::Array(wanted)) => match list_key(wanted) {
            Some(key) => {
                wanted.iter().all(|item| live.iter().any(|other| other[key] == item[key] && contains(other, item)))
            }
            None => live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, wanted)| contains(live, wanted)),
        },
        (live, wanted) => live == wanted,
    }
}

fn list_key(items: &[Value]) -> Option<&'static str> {
    LIST_KEYS.into_iter().find(|key| !items.is_empty() && items.iter().all(|item| item.get(key).is_some()))
}

fn same_quantities(live: &Value, wanted: &Value) -> bool {
    let (Value::Object(live), Value::Object(wanted)) = (live, wanted) else { return live == wanted };
    wanted.iter().all(|(name, wanted)| {
        live.get(name).is_some_and(|live| match (live.as_str(), wanted.as_str()) {
            (Some(live), Some(wanted)) => live == wanted || quantity::same(live, wanted),
            _ => live == wanted,
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_is_fine_and_less_or_other_is_not() {
        let wanted = json!({"spec": {"replicas": 2, "paused": false}});
        assert!(contains(&json!({"spec": {"replicas": 2, "paused": false, "more": 1}, "status": {}}), &wanted));
        assert!(!contains(&json!({"spec": {"replicas": 3, "paused": false}}), &wanted));
        assert!(!contains(&json!({"spec": {"replicas": 2}}), &wanted));
    }

    #[test]
    fn lists_with_keys_may_have_more_items_in_any_order() {
        let wanted = json!([{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]);
        let live = json!([{"name": "x"}, {"name": "b", "value": "2", "more": 1}, {"name": "a", "value": "1"}]);
        assert!(contains(&live, &wanted));
        assert!(!contains(&json!([{"name": "a", "value": "2"}, {"name": "b", "value": "2"}]), &wanted));
        assert!(!contains(&json!([{"name": "a", "value": "1"}]), &wanted));
    }

    #[test]
    fn other_lists_must_be_just_ours() {
        assert!(contains(&json!(["a", "b"]), &json!(["a", "b"])));
        assert!(!contains(&json!(["a", "b", "c"]), &json!(["a", "b"])));
        assert!(!contains(&json!(["b", "a"]), &json!(["a", "b"])));
        assert!(!contains(&json!([{"host": "a"}, {"host": "b"}]), &json!([{"host": "a"}])));
    }

    #[test]
    fn two_mounts_of_one_volume_are_told_apart_by_their_path() {
        let wanted = json!([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b", "readOnly": true}]);
        assert!(contains(&wanted, &wanted));
        assert!(!contains(&json!([{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]), &wanted));
    }

    #[test]
    fn quantities_are_compared_by_what_they_amount_to() {
        let live = json!({"resources": {"limits": {"memory": "1Gi", "cpu": "1"}}});
        assert!(contains(&live, &json!({"resources": {"limits": {"memory": "1024Mi", "cpu": "1000m"}}})));
        assert!(!contains(&live, &json!({"resources": {"limits": {"memory": "1025Mi"}}})));
        assert!(!contains(&live, &json!({"resources": {"requests": {"memory": "1Gi"}}})));
    }
}
