//! The test that does what a report says to do by hand can fail. It needs a cluster; how it
//! tells what went wrong does not.

use crate::shell::{Typed, first_wrong};

/// What goes wrong with these commands, in a folder of their own.
fn wrong(commands: &[(&str, Option<&str>)]) -> Option<(usize, String)> {
    let typed: Vec<_> = commands
        .iter()
        .map(|(command, says)| Typed {
            command,
            says: *says,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let wrong = first_wrong(folder.path(), "2s", &typed, |_| {}).unwrap();
    wrong.map(|it| (it.place, it.to_string()))
}

#[test]
fn commands_that_go_well_share_one_shell() {
    let commands = [
        ("SAID=hello", Some("")),
        ("sleep 60 &\nJOB=$!", None),
        ("echo $SAID | tr a-z A-Z", Some("HELLO")),
        ("kill $JOB", Some("")),
        ("! ls /nowhere", Some("No such file")),
        ("for i in 1 2; do test $i = 2 && break; done", None),
    ];
    assert_eq!(wrong(&commands), None);
}

#[test]
fn a_command_that_fails_is_told_with_what_it_said() {
    let (place, told) = wrong(&[
        ("echo fine", None),
        ("ls /nowhere", None),
        ("echo never", None),
    ])
    .unwrap();
    assert_eq!(place, 1);
    assert!(
        told.starts_with("`ls /nowhere` failed: exit status: 2"),
        "{told}"
    );
    assert!(told.contains("/nowhere': No such file"), "{told}");
}

#[test]
fn each_part_of_a_command_must_go_well() {
    for command in [
        "false\ntrue",
        "false | cat",
        "for i in 1 2; do test $i = 2; done",
        "! true",
        "echo $UNSET",
    ] {
        let (_, told) = wrong(&[(command, None)]).unwrap();
        assert!(told.starts_with(&format!("`{command}` failed")), "{told}");
    }
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let (_, told) = wrong(&[("no-such-program --x", None)]).unwrap();
    assert!(
        told.starts_with("`no-such-program --x` failed: exit status: 127"),
        "{told}"
    );
    assert!(
        told.contains("no-such-program: command not found"),
        "{told}"
    );
}

#[test]
fn a_command_that_hangs_is_told_with_what_it_said_until_then() {
    let (place, told) = wrong(&[("true", None), ("echo waiting >&2; sleep 600", None)]).unwrap();
    assert_eq!(place, 1);
    assert!(
        told.ends_with("had not ended when 2s were over; it said: waiting\n"),
        "{told}"
    );
}

#[test]
fn silence_where_an_answer_is_due_is_told() {
    let (place, told) = wrong(&[("true", Some("success")), ("false", None)]).unwrap();
    assert_eq!(place, 0);
    assert_eq!(told, "`true` must say `success`; it said: ");
}

#[test]
fn an_answer_where_there_must_be_none_is_told() {
    let (_, told) = wrong(&[("echo left", Some(""))]).unwrap();
    assert_eq!(told, "`echo left` must say nothing; it said: left\n");
}
