//! The methods of lists.

use super::{
    function::Method,
    method::Arguments,
    number,
    value::{Js, Outcome, join},
};
use crate::expression::Fuel;

/// Calls a method of a list.
pub(super) fn call<'a>(
    mut items: Vec<Js<'a>>,
    method: Method,
    mut arguments: Arguments<'a>,
    fuel: &Fuel,
) -> Outcome<Js<'a>> {
    let length = items.len();
    match method {
        Method::Includes => {
            let wanted = arguments.next();
            let from = number::from_end(arguments.number_or(0.0, fuel)?, length);
            let is_nan = |value: &Js| matches!(value, Js::Number(number) if number.is_nan());
            let nan = is_nan(&wanted);
            for item in &items[from..] {
                fuel.burn(0)?;
                if item.is_same(&wanted, fuel)? || nan && is_nan(item) {
                    return Ok(Js::Bool(true));
                }
            }
            Ok(Js::Bool(false))
        }
        Method::IndexOf => {
            let wanted = arguments.next();
            let from = number::from_end(arguments.number_or(0.0, fuel)?, length);
            found(items.iter().enumerate().skip(from), &wanted, fuel)
        }
        Method::LastIndexOf => {
            let wanted = arguments.next();
            let from = number::whole(arguments.number_or(f64::INFINITY, fuel)?);
            // One behind the last that is looked at.
            let end = if from < 0.0 { from + length as f64 + 1.0 } else { from + 1.0 };
            found(items.iter().enumerate().take(number::clamped(end, length)).rev(), &wanted, fuel)
        }
        Method::At => {
            let place = number::whole(arguments.number_or(0.0, fuel)?);
            let place = if place < 0.0 { place + length as f64 } else { place };
            if !(0.0..length as f64).contains(&place) {
                return Ok(Js::Undefined);
            }
            Ok(items.swap_remove(number::clamped(place, length)))
        }
        Method::Slice => {
            let from = number::from_end(arguments.number_or(0.0, fuel)?, length);
            let to = number::from_end(arguments.number_or(f64::INFINITY, fuel)?, length);
            items.truncate(to);
            Ok(Js::List(items.split_off(from.min(items.len()))))
        }
        Method::Concat => {
            for other in arguments.rest() {
                match other {
                    list @ (Js::List(_) | Js::Data(_)) if list.kind() == super::function::Kind::List => {
                        items.append(&mut list.items(fuel)?);
                    }
                    one => items.push(one),
                }
            }
            Ok(Js::List(items))
        }
        Method::Join => {
            let separator = match arguments.next() {
                Js::Undefined => ",".into(),
                separator => separator.text(fuel)?,
            };
            Ok(Js::Text(join(items, &separator, fuel)?.into()))
        }
        _ => Ok(Js::Text(join(items, ",", fuel)?.into())),
    }
}

fn found<'i, 'a: 'i>(
    items: impl Iterator<Item = (usize, &'i Js<'a>)>,
    wanted: &Js<'a>,
    fuel: &Fuel,
) -> Outcome<Js<'a>> {
    for (at, item) in items {
        fuel.burn(0)?;
        if item.is_same(wanted, fuel)? {
            return Ok(Js::Number(at as f64));
        }
    }
    Ok(Js::Number(-1.0))
}
