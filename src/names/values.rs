//! The values of filters that the user gives by name: ports, addresses and users.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::local::Local;
use super::pool::ask_all;
use super::resolver::{self, Answer};
use super::{Passwd, users};
use crate::query::{Asked, AskedCondition, Condition, Network, Ports};
use crate::remark::{NameKind, Remark, Sink};
use crate::socket::Protocol;

/// Looks up the names in conditions, in parallel. `passwd` has the users of another host, if the
/// sockets are from one. Fails if a name is unknown, or if the resolver fails or does not answer in
/// time.
pub fn conditions(
    asked: &[AskedCondition],
    passwd: Option<&Passwd>,
    timeout: Duration,
    remark: Sink<'_>,
) -> Result<Vec<Condition>, Remark> {
    let mut questions = Questions { timeout, ..Questions::default() };
    for condition in asked {
        match condition {
            Condition::Ports(_, ports) => questions.services.extend(unknown(ports.all())),
            Condition::Addresses(_, addresses) => questions.hosts.extend(unknown(addresses.all())),
            Condition::Ends(ends) => {
                questions.hosts.extend(unknown(ends.all().map(|(address, _)| address)));
                questions.services.extend(unknown(ends.all().map(|(_, ports)| ports)));
            }
            Condition::Users(users) => questions.users.extend(users.all().cloned()),
            Condition::States(_)
            | Condition::Interfaces(_)
            | Condition::Pids { .. }
            | Condition::Programs(_)
            | Condition::Units(_)
            | Condition::Containers(_) => {}
        }
    }
    let found = questions.look_up(passwd, remark)?;
    asked.iter().map(|condition| found.condition(condition)).collect()
}

/// The names among these values.
fn unknown<'a, T: 'a>(values: impl Iterator<Item = &'a Asked<T>>) -> impl Iterator<Item = String> {
    values.filter_map(|value| match value {
        Asked::Name(name) => Some(name.clone()),
        Asked::Value(_) | Asked::OnDevice(..) => None,
    })
}

/// Names to look up.
#[derive(Default)]
struct Questions {
    services: Vec<String>,
    hosts: Vec<String>,
    users: Vec<String>,
    timeout: Duration,
}

/// What names stand for.
struct Found {
    services: HashMap<String, Vec<(Protocol, u16)>>,
    hosts: HashMap<String, Vec<IpAddr>>,
    users: HashMap<String, u32>,
}

impl Questions {
    fn look_up(self, passwd: Option<&Passwd>, remark: Sink<'_>) -> Result<Found, Remark> {
        let Self { services, hosts, users, timeout } = self;
        let uids = match passwd {
            Some(passwd) => users.iter().map(|user| passwd.user(user)).collect::<Result<_, _>>()?,
            None => users::users(&users, timeout, remark)?,
        };
        Ok(Found {
            services: ports(services, timeout)?,
            hosts: answers(NameKind::Host, resolver::addresses, hosts, timeout)?,
            users: users.into_iter().zip(uids).collect(),
        })
    }
}

/// Returns the ports of services.
fn ports(
    services: Vec<String>,
    timeout: Duration,
) -> Result<HashMap<String, Vec<(Protocol, u16)>>, Remark> {
    if services.is_empty() {
        return Ok(HashMap::new());
    }
    let local = Local::read();
    if !local.is_complete(Protocol::Tcp) {
        return answers(NameKind::Service, resolver::ports, services, timeout);
    }
    let found = services.into_iter().map(|service| match &local.service(&service)[..] {
        [] => Err(Remark::UnknownName { kind: NameKind::Service, name: service }),
        ports => Ok((service, ports.to_vec())),
    });
    found.collect()
}

/// Asks the resolver for names of this kind.
fn answers<A: Send + 'static>(
    kind: NameKind,
    ask: fn(&String) -> Answer<A>,
    names: Vec<String>,
    timeout: Duration,
) -> Result<HashMap<String, A>, Remark> {
    let mut found = ask_all(ask, names.iter().cloned(), timeout);
    let mut answers = HashMap::new();
    for name in names {
        let answer = match found.remove(&name) {
            Some(Ok(Some(answer))) => answer,
            Some(Ok(None)) => return Err(Remark::UnknownName { kind, name }),
            Some(Err(error)) => return Err(Remark::NameNotFound { kind, name, error }),
            None if answers.contains_key(&name) => continue,
            None => return Err(Remark::NameTooLate { kind, name, timeout }),
        };
        answers.insert(name, answer);
    }
    Ok(answers)
}

impl Found {
    /// Returns the condition with values in the place of names. Fails if a name was not looked up.
    fn condition(&self, asked: &AskedCondition) -> Result<Condition, Remark> {
        Ok(match asked {
            Condition::Ports(side, ports) => {
                Condition::Ports(*side, ports.replace(|it| self.ports(it))?)
            }
            Condition::Addresses(side, addresses) => {
                Condition::Addresses(*side, addresses.replace(|it| self.networks(it))?)
            }
            Condition::Ends(ends) => Condition::Ends(ends.replace(|(address, ports)| {
                let (networks, ports) = (self.networks(address)?, self.ports(ports)?);
                let with = |network: Network| {
                    ports.iter().map(move |ports| (network.clone(), ports.clone()))
                };
                Ok::<_, Remark>(networks.into_iter().flat_map(with).collect())
            })?),
            Condition::Users(users) => Condition::Users(users.replace(|user| {
                let uid = get(&self.users, user, NameKind::User)?;
                Ok::<_, Remark>(vec![*uid])
            })?),
            Condition::States(states) => Condition::States(states.clone()),
            Condition::Interfaces(devices) => Condition::Interfaces(devices.clone()),
            Condition::Pids { pids, with_children } => {
                Condition::Pids { pids: pids.clone(), with_children: *with_children }
            }
            Condition::Programs(programs) => Condition::Programs(programs.clone()),
            Condition::Units(units) => Condition::Units(units.clone()),
            Condition::Containers(containers) => Condition::Containers(containers.clone()),
        })
    }

    fn ports(&self, asked: &Asked<Ports>) -> Result<Vec<Ports>, Remark> {
        let of_service = |&(protocol, port): &(Protocol, u16)| Ports {
            range: port..=port,
            protocol: Some(protocol),
        };
        match asked {
            Asked::Value(ports) | Asked::OnDevice(ports, _) => Ok(vec![ports.clone()]),
            Asked::Name(name) => {
                Ok(get(&self.services, name, NameKind::Service)?.iter().map(of_service).collect())
            }
        }
    }

    fn networks(&self, asked: &Asked<Network>) -> Result<Vec<Network>, Remark> {
        match asked {
            Asked::Value(network) => Ok(vec![network.clone()]),
            Asked::OnDevice(network, device) => Ok(vec![network.clone().on(device.clone())]),
            Asked::Name(name) => {
                let addresses = get(&self.hosts, name, NameKind::Host)?;
                Ok(addresses.iter().copied().map(Network::of).collect())
            }
        }
    }
}

fn get<'a, T>(found: &'a HashMap<String, T>, name: &str, kind: NameKind) -> Result<&'a T, Remark> {
    found.get(name).ok_or_else(|| Remark::UnknownName { kind, name: name.to_owned() })
}
