//! Names of a small cluster, written out.

use proptest::prelude::*;

use super::*;

fn port(name: &str, number: u16) -> Port {
    Port {
        name: name.to_owned(),
        protocol: "tcp".to_owned(),
        number,
    }
}

fn key(namespace: &str, name: &str) -> Key {
    (namespace.to_owned(), name.to_owned())
}

fn zone() -> Zone {
    let mut zone = Zone::default();
    zone.services.insert(
        key("default", "kubernetes"),
        Service::Address {
            address: Ipv4Addr::new(10, 43, 0, 1),
            ports: vec![port("https", 443)],
        },
    );
    zone.services
        .insert(key("ml", "postgres"), Service::Headless);
    zone.services.insert(key("ml", "empty"), Service::Headless);
    zone.services.insert(
        key("ml", "outside"),
        Service::External("example.org".to_owned()),
    );
    zone.endpoints.insert(
        key("ml", "postgres"),
        vec![
            Endpoint {
                address: Ipv4Addr::new(10, 42, 0, 7),
                hostname: Some("postgres-0".to_owned()),
                ports: vec![port("sql", 5432)],
            },
            Endpoint {
                address: Ipv4Addr::new(10, 42, 0, 8),
                hostname: None,
                ports: vec![port("sql", 5432)],
            },
        ],
    );
    zone
}

fn a(octets: [u8; 4]) -> Data {
    Data::A(Ipv4Addr::from(octets))
}

#[test]
fn a_service_has_its_cluster_address() {
    assert_eq!(
        zone().answer("kubernetes.default.svc.cluster.local.", Question::A),
        Answer::Records(vec![a([10, 43, 0, 1])])
    );
}

#[test]
fn ipv6_of_a_service_is_empty_not_missing() {
    assert_eq!(
        zone().answer("kubernetes.default.svc.cluster.local", Question::Other),
        Answer::NoData
    );
}

#[test]
fn a_headless_service_has_its_ready_pods() {
    assert_eq!(
        zone().answer("postgres.ml.svc.cluster.local", Question::A),
        Answer::Records(vec![a([10, 42, 0, 7]), a([10, 42, 0, 8])])
    );
    assert_eq!(
        zone().answer("empty.ml.svc.cluster.local", Question::A),
        Answer::NoData
    );
}

#[test]
fn a_stateful_pod_has_a_name_of_its_own() {
    assert_eq!(
        zone().answer("postgres-0.postgres.ml.svc.cluster.local", Question::A),
        Answer::Records(vec![a([10, 42, 0, 7])])
    );
    assert_eq!(
        zone().answer("10-42-0-8.postgres.ml.svc.cluster.local", Question::A),
        Answer::Records(vec![a([10, 42, 0, 8])])
    );
    assert_eq!(
        zone().answer("postgres-1.postgres.ml.svc.cluster.local", Question::A),
        Answer::NoSuchName
    );
}

#[test]
fn named_ports_have_srv_records() {
    assert_eq!(
        zone().answer(
            "_https._tcp.kubernetes.default.svc.cluster.local",
            Question::Srv
        ),
        Answer::Records(vec![Data::Srv {
            port: 443,
            target: "kubernetes.default.svc.cluster.local".to_owned()
        }])
    );
    assert_eq!(
        zone().answer("_sql._tcp.postgres.ml.svc.cluster.local", Question::Srv),
        Answer::Records(vec![
            Data::Srv {
                port: 5432,
                target: "postgres-0.postgres.ml.svc.cluster.local".to_owned()
            },
            Data::Srv {
                port: 5432,
                target: "10-42-0-8.postgres.ml.svc.cluster.local".to_owned()
            },
        ])
    );
    assert_eq!(
        zone().answer("_no._tcp.postgres.ml.svc.cluster.local", Question::Srv),
        Answer::NoSuchName
    );
}

#[test]
fn addresses_have_names() {
    assert_eq!(
        zone().answer("1.0.43.10.in-addr.arpa.", Question::Ptr),
        Answer::Records(vec![Data::Ptr(
            "kubernetes.default.svc.cluster.local".to_owned()
        )])
    );
    assert_eq!(
        zone().answer("9.0.42.10.in-addr.arpa", Question::Ptr),
        Answer::NoSuchName
    );
    assert_eq!(
        zone().answer("8.8.8.8.in-addr.arpa", Question::Ptr),
        Answer::Elsewhere
    );
}

#[test]
fn unknown_names_inside_do_not_exist_and_outside_are_not_ours() {
    for name in [
        "nothing.ml.svc.cluster.local",
        "postgres.other.svc.cluster.local",
        "other.svc.cluster.local",
        "pypi.org.ml.svc.cluster.local",
        "anything.cluster.local",
    ] {
        assert_eq!(
            zone().answer(name, Question::A),
            Answer::NoSuchName,
            "{name}"
        );
    }
    for name in ["pypi.org", "notcluster.local", "local", ""] {
        assert_eq!(
            zone().answer(name, Question::A),
            Answer::Elsewhere,
            "{name}"
        );
    }
}

#[test]
fn names_with_something_below_them_exist() {
    for name in [
        "cluster.local",
        "svc.cluster.local",
        "ml.svc.cluster.local",
        "_tcp.postgres.ml.svc.cluster.local",
    ] {
        assert_eq!(zone().answer(name, Question::A), Answer::NoData, "{name}");
    }
}

#[test]
fn an_external_service_is_another_name() {
    assert_eq!(
        zone().answer("outside.ml.svc.cluster.local", Question::A),
        Answer::Records(vec![Data::Cname("example.org".to_owned())])
    );
}

#[test]
fn a_pod_address_has_a_name() {
    assert_eq!(
        zone().answer("10-42-0-9.ml.pod.cluster.local", Question::A),
        Answer::Records(vec![a([10, 42, 0, 9])])
    );
}

proptest! {
    #[test]
    fn no_name_breaks_the_lookup(name in "[a-z0-9._-]{0,80}") {
        for question in [Question::A, Question::Srv, Question::Ptr, Question::Other] {
            let _ = zone().answer(&name, question);
        }
    }

    #[test]
    fn names_in_the_zone_never_go_elsewhere(inner in "([a-z0-9_-]{1,12}\\.){0,5}") {
        let name = format!("{inner}cluster.local");
        prop_assert_ne!(zone().answer(&name, Question::A), Answer::Elsewhere);
    }

    #[test]
    fn every_service_is_found(name in "[a-z][a-z0-9-]{0,20}", namespace in "[a-z][a-z0-9-]{0,20}", last in 1u8..) {
        let address = Ipv4Addr::new(10, 43, 7, last);
        let mut zone = zone();
        zone.services.insert(key(&namespace, &name), Service::Address { address, ports: Vec::new() });
        prop_assert_eq!(
            zone.answer(&format!("{name}.{namespace}.svc.cluster.local"), Question::A),
            Answer::Records(vec![Data::A(address)])
        );
    }
}
