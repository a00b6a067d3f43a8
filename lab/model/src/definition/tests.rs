use super::{DefinitionError, Reader, read};

fn problems<T: std::fmt::Debug>(text: &str, take: impl FnOnce(&mut Reader<'_, '_>) -> T) -> String {
    let problems = read("x.toml", text, "x", take).unwrap_err();
    DefinitionError::of("x.toml", problems).to_string()
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_file_line_and_key() {
    let text = "\
number = \"1\"
colour = \"red\"
texts = [\"a\", 2]

[table]
shape = true

[[row]]
name = 3

[named.a]
other = 1
";

    let told = problems(text, |top| {
        let _ = top.needed::<String>("name");
        let _ = top.get::<u64>("number");
        let _ = top.list::<String>("texts");
        let _ = top.table("table", |table| table.list::<u64>("shape"));
        let _ = top.tables("row", |row| row.needed::<String>("name"));
        let _ = top.named("named", |one| one.needed::<String>("version"));
    });

    insta::assert_snapshot!(told);
}

#[test]
fn every_break_of_the_syntax_is_told_and_nothing_that_follows_from_it() {
    let told = problems("a = \nb = 1\nc = \"x\n", |top| {
        let _ = top.needed::<String>("name");
    });

    insta::assert_snapshot!(told);
}

#[test]
fn whole_numbers_are_numbers() {
    let taken = read("x.toml", "a = 2\nb = 0.5\n", "x", |top| {
        (top.get::<f64>("a"), top.get::<f64>("b"))
    });

    let (a, b) = taken.unwrap();
    let seconds = [a, b].map(|it| it.unwrap().into_inner());
    assert!(seconds.iter().eq([2.0, 0.5].iter()), "{seconds:?}");
}
