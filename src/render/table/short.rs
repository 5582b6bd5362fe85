//! Short forms of hosts: the middle is left out, as in `2a02:2f0a:…:41aa`. Each host has one form in a
//! whole listing, and no other shortened host fits it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use unicode_width::UnicodeWidthStr;

use super::cell::whole_host;
use crate::fields::Value;
use crate::names::{Names, Number};
use crate::render::netstat::cells::RowBuffer;
use crate::socket::End;

/// An IPv4 address with a port always fits into this width.
pub(crate) const ADDRESS: u16 = 21;
/// The first and the last group of an IPv6 address fit into this width, with a port.
pub(crate) const SHORTEST_ADDRESS: u16 = 19;
/// What stands for the part that is left out.
const LEFT_OUT: &str = "…";
/// A name shorter than this is not recognized any more.
const SHORTEST_NAME: usize = 8;

/// The hosts that do not fit, with the room for each.
#[derive(Default)]
pub(crate) struct Wanted(HashMap<IpAddr, usize>);

impl Wanted {
    /// Adds the host of a cell that is wider than its room.
    pub(crate) fn add_cell(&mut self, value: &Value<'_>, width: usize, room: usize, names: &Names) {
        let host = match value {
            Value::Local(socket, _) => socket.local.address,
            Value::End(End::Internet(_, end)) | Value::Address(End::Internet(_, end)) => {
                end.address
            }
            Value::End(End::Sctp(end)) | Value::Address(End::Sctp(end)) => end.address,
            _ => return,
        };
        let others = width.saturating_sub(whole(host, names).width());
        self.add(host, room.saturating_sub(others));
    }

    /// Adds a host with the room that one of its cells has for it.
    fn add(&mut self, host: IpAddr, room: usize) {
        let least = self.0.entry(host).or_insert(room);
        *least = room.min(*least);
    }

    /// Finds the short forms. An IPv4 address stays whole.
    pub(crate) fn shorten(self, names: &Names) -> Shortened {
        let has_form = |host: IpAddr| host.is_ipv6() || names.get(Number::Host(host)).is_some();
        let hosts = self.0.into_iter().filter(|&(host, _)| has_form(host));
        let hosts = hosts.map(|(address, room)| {
            let whole = whole(address, names);
            Host { address, whole, room }
        });
        Shortened(distinct(&hosts.collect::<Vec<_>>()))
    }
}

/// Returns the name of a host, or its address.
fn whole(host: IpAddr, names: &Names) -> String {
    let mut whole = RowBuffer::default();
    whole_host(host, names, &mut whole);
    String::from_utf8_lossy(whole.bytes()).into_owned()
}

/// The short forms of the hosts that have one.
pub(crate) struct Shortened(HashMap<IpAddr, String>);

impl Shortened {
    /// Returns the short form of a host, if it has one.
    pub(super) fn form(&self, host: IpAddr) -> Option<&str> {
        self.0.get(&host).map(String::as_str)
    }
}

struct Host {
    address: IpAddr,
    whole: String,
    room: usize,
}

impl Host {
    fn is_name(&self) -> bool {
        !self.whole.contains(':')
    }
}

/// How much of a host a short form shows: this many groups of an IPv6 address at its beginning and at
/// its end, or this many characters of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    is_name: bool,
    head: usize,
    tail: usize,
}

impl Shape {
    /// Returns the two ends of a host that are shown.
    fn ends(self, host: &Host) -> Option<(&str, &str)> {
        let whole = &*host.whole;
        if host.is_name() != self.is_name {
            return None;
        }
        let (head, tail) = if self.is_name {
            let tail = whole.char_indices().rev().nth(self.tail.checked_sub(1)?)?.0;
            (whole.char_indices().nth(self.head)?.0, tail)
        } else {
            let head = whole.match_indices(':').nth(self.head.checked_sub(1)?)?.0 + 1;
            (head, whole.rmatch_indices(':').nth(self.tail.checked_sub(1)?)?.0)
        };
        (head <= tail).then_some((whole.get(..head)?, whole.get(tail..)?))
    }

    /// Returns the short form of a host, if it is shorter and not wider than `room`.
    fn form(self, host: &Host, room: usize) -> Option<String> {
        let (head, tail) = self.ends(host)?;
        let form = [head, LEFT_OUT, tail].concat();
        let width = form.width();
        (width <= room && width < host.whole.width()).then_some(form)
    }
}

/// Returns the shapes to try, those that show most first.
fn shapes(hosts: &[Host]) -> Vec<Shape> {
    let groups =
        (1..8).flat_map(|head| (1..8 - head).map(move |tail| Shape { is_name: false, head, tail }));
    let rooms: BTreeSet<usize> = hosts.iter().map(|host| host.room).collect();
    let names = rooms.into_iter().filter(|&room| room >= SHORTEST_NAME).flat_map(|room| {
        let kept = room - 1;
        // The beginning of a name tells more than its end.
        [kept * 2 / 3, kept / 3].map(|head| Shape { is_name: true, head, tail: kept - head })
    });
    let mut shapes: Vec<_> = groups.chain(names).collect();
    shapes.sort_by_key(|shape| Reverse((shape.head + shape.tail, shape.head)));
    shapes
}

/// Finds for each host the form that shows most, if the other hosts do not have the same two ends. A
/// host without such a form gets the shortest one that is distinct, although it has no room. If no
/// form is distinct, the host stays whole.
fn distinct(hosts: &[Host]) -> HashMap<IpAddr, String> {
    let mut forms = HashMap::new();
    let mut left: Vec<&Host> = hosts.iter().filter(|it| !it.whole.contains(LEFT_OUT)).collect();
    let mut shapes = shapes(hosts);
    for has_room in [true, false] {
        let room = |host: &Host| if has_room { host.room } else { usize::MAX };
        for &shape in &shapes {
            if !left.iter().any(|host| shape.form(host, room(host)).is_some()) {
                continue;
            }
            let shared = shared_ends(shape, hosts);
            let is_shared =
                |host: &Host| shape.ends(host).is_some_and(|ends| shared.contains(&ends));
            give(&mut forms, &mut left, |host| {
                shape.form(host, room(host)).filter(|_| !is_shared(host))
            });
        }
        give(&mut forms, &mut left, |host| by_middle(host, hosts, room(host)));
        // The shortest ones first.
        shapes.reverse();
    }
    forms
}

/// Gives the hosts that are left the form that `form` returns for them.
fn give(
    forms: &mut HashMap<IpAddr, String>,
    left: &mut Vec<&Host>,
    form: impl Fn(&Host) -> Option<String>,
) {
    left.retain(|host| {
        let form = form(host);
        let is_left = form.is_none();
        forms.extend(form.map(|form| (host.address, form)));
        is_left
    });
}

/// Returns the ends that several hosts have in common in this shape.
fn shared_ends(shape: Shape, hosts: &[Host]) -> HashSet<(&str, &str)> {
    let mut first_with = HashMap::new();
    let mut shared = HashSet::new();
    for host in hosts {
        if let Some(ends) = shape.ends(host)
            && *first_with.entry(ends).or_insert(&host.whole) != &host.whole
        {
            shared.insert(ends);
        }
    }
    shared
}

/// Shows one group in the middle of an IPv6 address as well, which no host with the same ends has:
/// `2a02:…:5c31:…:41aa`. Not if there are too many hosts.
fn by_middle(host: &Host, hosts: &[Host], room: usize) -> Option<String> {
    const MOST_HOSTS: usize = 100;
    let shape = Shape { is_name: false, head: 1, tail: 1 };
    let ends = shape.ends(host)?;
    let (head, tail) = ends;
    let middle = host.whole.get(head.len()..host.whole.len() - tail.len())?;
    let others =
        || hosts.iter().filter(|it| it.whole != host.whole && shape.ends(it) == Some(ends));
    let group = middle.split(':').find(|group| {
        let part = [":", group, ":"].concat();
        !group.is_empty() && !others().any(|it| it.whole.contains(&part))
    });
    if hosts.len() > MOST_HOSTS {
        return None;
    }
    let form = [head, LEFT_OUT, ":", group?, ":", LEFT_OUT, tail].concat();
    (form.width() <= room && form.width() < host.whole.width()).then_some(form)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shorten(hosts: &[&str], room: usize) -> Vec<String> {
        let mut wanted = Wanted::default();
        let hosts: Vec<IpAddr> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        for &host in &hosts {
            wanted.add(host, room);
        }
        let shortened = wanted.shorten(&Names::default());
        let form = |host: &IpAddr| shortened.form(*host).map_or(host.to_string(), str::to_owned);
        hosts.iter().map(form).collect()
    }

    #[test]
    fn middle_groups_are_left_out_as_far_as_necessary() {
        let host = "2a02:2f0a:c10f:9700:5c31:8e0f:77d2:41aa";
        assert_eq!(shorten(&[host], 38), ["2a02:2f0a:c10f:9700:5c31:8e0f:…:41aa"]);
        assert_eq!(shorten(&[host], 16), ["2a02:2f0a:…:41aa"]);
        assert_eq!(shorten(&[host], 11), ["2a02:…:41aa"]);
        assert_eq!(shorten(&[host], 10), ["2a02:…:41aa"]);
        assert_eq!(shorten(&["2001:db8:1::2"], 11), ["2001:…:1::2"]);
    }

    #[test]
    fn hosts_with_the_same_ends_show_another_part() {
        let one = "2a02:2f0a:c10f:9700:5c31:8e0f:77d2:41aa";
        let other = "2a02:2f0a:c10f:9700:9d10:8e0f:77d3:41aa";
        assert_eq!(shorten(&[one, other], 16), ["2a02:…:77d2:41aa", "2a02:…:77d3:41aa"]);
        assert_eq!(shorten(&[one, other], 11), ["2a02:…:77d2:41aa", "2a02:…:77d3:41aa"]);
        let other = "2a02:2f0a:c10f:9700:9d10:8e0f:77d2:41aa";
        assert_eq!(shorten(&[one, other], 18), ["2a02:…:5c31:…:41aa", "2a02:…:9d10:…:41aa"]);
        let longer = ["2a02:…:5c31:8e0f:77d2:41aa", "2a02:…:9d10:8e0f:77d2:41aa"];
        assert_eq!(shorten(&[one, other], 17), longer);
    }

    #[test]
    fn names_keep_both_ends() {
        let shorten = |names: [&str; 2], room: usize| {
            let host = |(number, name): (u8, &str)| Host {
                address: [10, 0, 0, number].into(),
                whole: name.to_owned(),
                room,
            };
            let forms = distinct(&[host((0, names[0])), host((1, names[1]))]);
            [0, 1].map(|number| forms.get(&[10, 0, 0, number].into()).cloned().unwrap_or_default())
        };
        let names = ["server-54-230-159-113.fra56.r.cloudfront.net", "localhost"];
        assert_eq!(shorten(names, 16), ["server-54-…t.net", ""]);
        let names = ["server-54-230-159-113.fra56.r.cloudfront.net", "server-54-1.cloudfront.net"];
        assert_eq!(shorten(names, 16), ["", ""]);
        assert_eq!(shorten(["日本語日本語日本語", "…"], 10), ["", ""]);
    }

    proptest! {
        #[test]
        fn short_forms_are_short_and_distinct(
            hosts in prop::collection::hash_set(prop::array::uniform8(0..3_u16), 1..60),
            room in 5..40_usize,
        ) {
            let hosts: Vec<String> =
                hosts.into_iter().map(|it| std::net::Ipv6Addr::from(it).to_string()).collect();
            let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
            let forms = shorten(&hosts, room);
            for (form, host) in forms.iter().zip(&hosts) {
                prop_assert!(form == host || form.width() < host.width());
            }
            let distinct: std::collections::HashSet<_> = forms.iter().collect();
            prop_assert_eq!(distinct.len(), forms.len());
        }
    }
}
