# The worked example, deploy/policies/example/policies/*.cedar, rule by rule.
package mayfly

etl := "spiffe://example.org/agent/etl"

reporter := "spiffe://example.org/agent/reporter"

gets_credential if input.action.name in {"mint", "fetch"}

nightly if {
	input.subject.id == etl
	input.context.workflow == "nightly-etl"
}

reporting if {
	input.subject.id == reporter
	input.context.workflow == "reporting"
}

asks(capability) if {
	gets_credential
	input.resource.type == "capability"
	input.resource.id == capability
}

calls(access) if {
	input.action.name == "call"
	input.action.properties.access == access
}

permits contains "etl-reads-orders" if {
	asks("orders-db.read")
	nightly
	input.context.risk < 80
}

permits contains "etl-writes-orders-as-planned" if {
	asks("orders-db.write")
	nightly
	input.context.risk < 50
	some step in input.context.plan
	step.action == "write"
	step.resource == "orders"
}

permits contains "etl-is-a-service" if {
	asks("service.cert")
	nightly
}

permits contains "etl-reaches-the-bastion" if {
	asks("bastion.ssh")
	nightly
}

permits contains "etl-encrypts-payloads" if {
	asks("payload.key")
	nightly
}

permits contains "etl-calls-to-read" if {
	calls("read")
	nightly
	input.context.risk < 80
}

permits contains "etl-calls-to-write" if {
	calls("write")
	nightly
	input.context.risk < 50
}

permits contains "reporter-reads-orders" if {
	asks("orders-db.read")
	reporting
	input.context.risk < 50
}

permits contains "reporter-reads-report-settings" if {
	asks("reports.kv")
	reporting
}

permits contains "reporter-is-a-service" if {
	asks("service.cert")
	reporting
}

permits contains "reporter-calls-to-read" if {
	calls("read")
	reporting
	input.context.risk < 50
}

permits contains "agents-hand-work-on-in-their-tenant" if {
	input.action.name == "delegate"
	input.subject.properties.tenant == input.resource.properties.tenant
}

forbids contains "nobody-owns-orders" if {
	input.action.name in {"mint", "fetch", "breakGlass"}
	input.resource.type == "capability"
	input.resource.id == "orders-db.owner"
}
