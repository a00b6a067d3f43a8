//! Gherkin scenarios: the World, the steps, the clients of the services under test.
