//! Turns the zone's answers into records on the wire.

use hickory_server::proto::rr::{
    Name, RData, Record, RecordType,
    rdata::{A, CNAME, PTR, SOA, SRV},
};

use super::zone::{Data, Question};

/// How long an answer may be kept, seconds: as `CoreDNS` has it.
const TTL: u32 = 5;

pub(crate) fn question(record_type: RecordType) -> Question {
    match record_type {
        RecordType::A => Question::A,
        RecordType::SRV => Question::Srv,
        RecordType::PTR => Question::Ptr,
        _ => Question::Other,
    }
}

/// A record; `None` for a name that DNS cannot carry.
pub(crate) fn record(name: &Name, data: &Data) -> Option<Record> {
    let data = match data {
        Data::A(address) => RData::A(A(*address)),
        Data::Srv { port, target } => RData::SRV(SRV::new(0, 100, *port, full(target)?)),
        Data::Ptr(name) => RData::PTR(PTR(full(name)?)),
        Data::Cname(name) => RData::CNAME(CNAME(full(name)?)),
    };
    Some(Record::from_rdata(name.clone(), TTL, data))
}

/// Lets resolvers remember for how long a name is missing.
pub(crate) fn start_of_authority() -> Option<Record> {
    let soa = SOA::new(
        full("ns.dns.cluster.local")?,
        full("hostmaster.cluster.local")?,
        1,
        7200,
        1800,
        86400,
        TTL,
    );
    Some(Record::from_rdata(
        full("cluster.local")?,
        TTL,
        RData::SOA(soa),
    ))
}

fn full(name: &str) -> Option<Name> {
    let mut name = Name::from_ascii(name).ok()?;
    name.set_fqdn(true);
    Some(name)
}
