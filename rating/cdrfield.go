package rating

// CDRField is one column of a CDR. Its number is part of the stored form: fields are only ever
// appended, the commonest first so that the presence bitmap stays short.
type CDRField uint8

// The fields, named as Yeti names them on the wire.
const (
	CDRTimeStart CDRField = iota
	CDRTimeConnect
	CDRTimeEnd
	CDRDuration
	CDRSuccess
	CDRCustomerAccID
	CDRDestinationID
	CDRRateplanID
	CDRCustomerPrice
	CDRCustomerPriceNoVAT
	CDRCustomerDuration
	CDRDestinationPrefix
	CDRDestinationInitialRate
	CDRDestinationNextRate
	CDRDestinationInitialInterval
	CDRDestinationNextInterval
	CDRDestinationFee
	CDRSrcPrefixRouting
	CDRDstPrefixRouting
	CDRSrcPrefixIn
	CDRDstPrefixIn
	CDROrigCallID
	CDRIsLastCDR
	CDRCustomerAccVAT
	CDRVendorAccID
	CDRDialpeerID
	CDRVendorPrice
	CDRVendorDuration
	CDRProfit
	CDRDialpeerPrefix
	CDRDialpeerInitialRate
	CDRDialpeerNextRate
	CDRDialpeerInitialInterval
	CDRDialpeerNextInterval
	CDRDialpeerFee
	CDRCustomerID
	CDRVendorID
	CDRCustomerAuthID
	CDRCallID
	CDRSource
	CDRRoutingAttempt
	CDRLocalTag
	CDRTermCallID
	CDRInternalDisconnectCode
	CDRInternalDisconnectReason
	CDRDisconnectInitiatorID
	CDRLegaDisconnectCode
	CDRLegaDisconnectReason
	CDRLegbDisconnectCode
	CDRLegbDisconnectReason
	CDRSrcPrefixOut
	CDRDstPrefixOut
	CDRAuthOrigIP
	CDRAuthOrigPort
	CDRAuthOrigTransportProtocolID
	CDRDestinationReverseBilling
	CDRDialpeerReverseBilling
	CDRDstCountryID
	CDRDstNetworkID
	CDRSrcCountryID
	CDRSrcNetworkID
	CDRDestinationRatePolicyID
	CDRSrcNameIn
	CDRSrcNameOut
	CDRDiversionIn
	CDRDiversionOut
	CDRSignOrigIP
	CDRSignOrigPort
	CDRSignOrigLocalIP
	CDRSignOrigLocalPort
	CDRSignOrigTransportProtocolID
	CDRSignTermIP
	CDRSignTermPort
	CDRSignTermLocalIP
	CDRSignTermLocalPort
	CDRSignTermTransportProtocolID
	CDRDumpLevelID
	CDRGlobalTag
	CDRRoutingDelay
	CDRPDD
	CDRRTT
	CDREarlyMediaPresent
	CDRLNPDatabaseID
	CDRLRN
	CDRAudioRecorded
	CDRRURIDomain
	CDRToDomain
	CDRFromDomain
	CDRSrcAreaID
	CDRDstAreaID
	CDRCoreVersion
	CDRYetiVersion
	CDRLegaUserAgent
	CDRLegbUserAgent
	CDRUUID
	CDRPAIIn
	CDRPPIIn
	CDRPrivacyIn
	CDRRPIDIn
	CDRRPIDPrivacyIn
	CDRPAIOut
	CDRPPIOut
	CDRPrivacyOut
	CDRRPIDOut
	CDRRPIDPrivacyOut
	CDRIsRedirected
	CDRCustomerAccountCheckBalance
	CDRCustomerExternalID
	CDRCustomerAuthExternalID
	CDRCustomerAccExternalID
	CDRRoutingTagIds
	CDRVendorExternalID
	CDRVendorAccExternalID
	CDROrigGwExternalID
	CDRTermGwExternalID
	CDRFailedResourceTypeID
	CDRFailedResourceID
	CDRPChargeInfoIn
	CDRMetadata
	CDRPopID
	CDRNodeID
	CDRRoutingGroupID
	CDRRoutingPlanID
	CDROrigGwID
	CDRTermGwID
	CDRPackageCounterID // of the bundled seconds that paid for the call
	CDRPackageFilledAt  // when that counter was last filled
	CDRMatching         // how the call was matched to its payer: Matching as JSON

	NumCDRFields int = iota
)

// ValueKind says how a CDR column is held, written and compared.
type ValueKind uint8

// The kinds. All but text, inet, uuid, ints and JSON are held as one int64.
const (
	KindText    ValueKind = iota
	KindTime              // microseconds since 1970, UTC
	KindInt               // whole number
	KindBool              // 0 or 1
	KindMoney             // Money
	KindPrice             // Price
	KindPercent           // Percent
	KindFloat             // a measured quantity in 10⁻⁶, never money
	KindInet              // an IP address as text
	KindUUID              // a UUID as text
	KindInts              // whole numbers as a JSON array
	KindJSON              // a JSON value
)

// IsText reports whether values of kind k are held as text.
func (k ValueKind) IsText() bool { return k == KindText || k >= KindInet }

var cdrFields = [NumCDRFields]struct {
	name string
	kind ValueKind
}{
	CDRTimeStart:                   {"time_start", KindTime},
	CDRTimeConnect:                 {"time_connect", KindTime},
	CDRTimeEnd:                     {"time_end", KindTime},
	CDRDuration:                    {"duration", KindInt},
	CDRSuccess:                     {"success", KindBool},
	CDRCustomerAccID:               {"customer_acc_id", KindInt},
	CDRDestinationID:               {"destination_id", KindInt},
	CDRRateplanID:                  {"rateplan_id", KindInt},
	CDRCustomerPrice:               {"customer_price", KindMoney},
	CDRCustomerPriceNoVAT:          {"customer_price_no_vat", KindMoney},
	CDRCustomerDuration:            {"customer_duration", KindInt},
	CDRDestinationPrefix:           {"destination_prefix", KindText},
	CDRDestinationInitialRate:      {"destination_initial_rate", KindPrice},
	CDRDestinationNextRate:         {"destination_next_rate", KindPrice},
	CDRDestinationInitialInterval:  {"destination_initial_interval", KindInt},
	CDRDestinationNextInterval:     {"destination_next_interval", KindInt},
	CDRDestinationFee:              {"destination_fee", KindMoney},
	CDRSrcPrefixRouting:            {"src_prefix_routing", KindText},
	CDRDstPrefixRouting:            {"dst_prefix_routing", KindText},
	CDRSrcPrefixIn:                 {"src_prefix_in", KindText},
	CDRDstPrefixIn:                 {"dst_prefix_in", KindText},
	CDROrigCallID:                  {"orig_call_id", KindText},
	CDRIsLastCDR:                   {"is_last_cdr", KindBool},
	CDRCustomerAccVAT:              {"customer_acc_vat", KindPercent},
	CDRVendorAccID:                 {"vendor_acc_id", KindInt},
	CDRDialpeerID:                  {"dialpeer_id", KindInt},
	CDRVendorPrice:                 {"vendor_price", KindMoney},
	CDRVendorDuration:              {"vendor_duration", KindInt},
	CDRProfit:                      {"profit", KindMoney},
	CDRDialpeerPrefix:              {"dialpeer_prefix", KindText},
	CDRDialpeerInitialRate:         {"dialpeer_initial_rate", KindPrice},
	CDRDialpeerNextRate:            {"dialpeer_next_rate", KindPrice},
	CDRDialpeerInitialInterval:     {"dialpeer_initial_interval", KindInt},
	CDRDialpeerNextInterval:        {"dialpeer_next_interval", KindInt},
	CDRDialpeerFee:                 {"dialpeer_fee", KindMoney},
	CDRCustomerID:                  {"customer_id", KindInt},
	CDRVendorID:                    {"vendor_id", KindInt},
	CDRCustomerAuthID:              {"customer_auth_id", KindInt},
	CDRCallID:                      {"call_id", KindText},
	CDRSource:                      {"source", KindText},
	CDRRoutingAttempt:              {"routing_attempt", KindInt},
	CDRLocalTag:                    {"local_tag", KindText},
	CDRTermCallID:                  {"term_call_id", KindText},
	CDRInternalDisconnectCode:      {"internal_disconnect_code", KindInt},
	CDRInternalDisconnectReason:    {"internal_disconnect_reason", KindText},
	CDRDisconnectInitiatorID:       {"disconnect_initiator_id", KindInt},
	CDRLegaDisconnectCode:          {"lega_disconnect_code", KindInt},
	CDRLegaDisconnectReason:        {"lega_disconnect_reason", KindText},
	CDRLegbDisconnectCode:          {"legb_disconnect_code", KindInt},
	CDRLegbDisconnectReason:        {"legb_disconnect_reason", KindText},
	CDRSrcPrefixOut:                {"src_prefix_out", KindText},
	CDRDstPrefixOut:                {"dst_prefix_out", KindText},
	CDRAuthOrigIP:                  {"auth_orig_ip", KindInet},
	CDRAuthOrigPort:                {"auth_orig_port", KindInt},
	CDRAuthOrigTransportProtocolID: {"auth_orig_transport_protocol_id", KindInt},
	CDRDestinationReverseBilling:   {"destination_reverse_billing", KindBool},
	CDRDialpeerReverseBilling:      {"dialpeer_reverse_billing", KindBool},
	CDRDstCountryID:                {"dst_country_id", KindInt},
	CDRDstNetworkID:                {"dst_network_id", KindInt},
	CDRSrcCountryID:                {"src_country_id", KindInt},
	CDRSrcNetworkID:                {"src_network_id", KindInt},
	CDRDestinationRatePolicyID:     {"destination_rate_policy_id", KindInt},
	CDRSrcNameIn:                   {"src_name_in", KindText},
	CDRSrcNameOut:                  {"src_name_out", KindText},
	CDRDiversionIn:                 {"diversion_in", KindText},
	CDRDiversionOut:                {"diversion_out", KindText},
	CDRSignOrigIP:                  {"sign_orig_ip", KindInet},
	CDRSignOrigPort:                {"sign_orig_port", KindInt},
	CDRSignOrigLocalIP:             {"sign_orig_local_ip", KindInet},
	CDRSignOrigLocalPort:           {"sign_orig_local_port", KindInt},
	CDRSignOrigTransportProtocolID: {"sign_orig_transport_protocol_id", KindInt},
	CDRSignTermIP:                  {"sign_term_ip", KindInet},
	CDRSignTermPort:                {"sign_term_port", KindInt},
	CDRSignTermLocalIP:             {"sign_term_local_ip", KindInet},
	CDRSignTermLocalPort:           {"sign_term_local_port", KindInt},
	CDRSignTermTransportProtocolID: {"sign_term_transport_protocol_id", KindInt},
	CDRDumpLevelID:                 {"dump_level_id", KindInt},
	CDRGlobalTag:                   {"global_tag", KindText},
	CDRRoutingDelay:                {"routing_delay", KindFloat},
	CDRPDD:                         {"pdd", KindFloat},
	CDRRTT:                         {"rtt", KindFloat},
	CDREarlyMediaPresent:           {"early_media_present", KindBool},
	CDRLNPDatabaseID:               {"lnp_database_id", KindInt},
	CDRLRN:                         {"lrn", KindText},
	CDRAudioRecorded:               {"audio_recorded", KindBool},
	CDRRURIDomain:                  {"ruri_domain", KindText},
	CDRToDomain:                    {"to_domain", KindText},
	CDRFromDomain:                  {"from_domain", KindText},
	CDRSrcAreaID:                   {"src_area_id", KindInt},
	CDRDstAreaID:                   {"dst_area_id", KindInt},
	CDRCoreVersion:                 {"core_version", KindText},
	CDRYetiVersion:                 {"yeti_version", KindText},
	CDRLegaUserAgent:               {"lega_user_agent", KindText},
	CDRLegbUserAgent:               {"legb_user_agent", KindText},
	CDRUUID:                        {"uuid", KindUUID},
	CDRPAIIn:                       {"pai_in", KindText},
	CDRPPIIn:                       {"ppi_in", KindText},
	CDRPrivacyIn:                   {"privacy_in", KindText},
	CDRRPIDIn:                      {"rpid_in", KindText},
	CDRRPIDPrivacyIn:               {"rpid_privacy_in", KindText},
	CDRPAIOut:                      {"pai_out", KindText},
	CDRPPIOut:                      {"ppi_out", KindText},
	CDRPrivacyOut:                  {"privacy_out", KindText},
	CDRRPIDOut:                     {"rpid_out", KindText},
	CDRRPIDPrivacyOut:              {"rpid_privacy_out", KindText},
	CDRIsRedirected:                {"is_redirected", KindBool},
	CDRCustomerAccountCheckBalance: {"customer_account_check_balance", KindBool},
	CDRCustomerExternalID:          {"customer_external_id", KindInt},
	CDRCustomerAuthExternalID:      {"customer_auth_external_id", KindInt},
	CDRCustomerAccExternalID:       {"customer_acc_external_id", KindInt},
	CDRRoutingTagIds:               {"routing_tag_ids", KindInts},
	CDRVendorExternalID:            {"vendor_external_id", KindInt},
	CDRVendorAccExternalID:         {"vendor_acc_external_id", KindInt},
	CDROrigGwExternalID:            {"orig_gw_external_id", KindInt},
	CDRTermGwExternalID:            {"term_gw_external_id", KindInt},
	CDRFailedResourceTypeID:        {"failed_resource_type_id", KindInt},
	CDRFailedResourceID:            {"failed_resource_id", KindInt},
	CDRPChargeInfoIn:               {"p_charge_info_in", KindText},
	CDRMetadata:                    {"metadata", KindJSON},
	CDRPopID:                       {"pop_id", KindInt},
	CDRNodeID:                      {"node_id", KindInt},
	CDRRoutingGroupID:              {"routing_group_id", KindInt},
	CDRRoutingPlanID:               {"routing_plan_id", KindInt},
	CDROrigGwID:                    {"orig_gw_id", KindInt},
	CDRTermGwID:                    {"term_gw_id", KindInt},
	CDRPackageCounterID:            {"package_counter_id", KindInt},
	CDRPackageFilledAt:             {"package_filled_at", KindTime},
	CDRMatching:                    {"matching", KindJSON},
}

// cdrTexts counts the columns that are held as text; cdrTextSlot says where each one lies.
var cdrTextSlot, cdrTexts = func() (slots [NumCDRFields]uint8, n int) {
	for f := range cdrFields {
		if cdrFields[f].kind.IsText() {
			slots[f] = uint8(n)
			n++
		}
	}
	return slots, n
}()

var cdrByName = func() map[string]CDRField {
	m := make(map[string]CDRField, NumCDRFields)
	for f := range cdrFields {
		m[cdrFields[f].name] = CDRField(f)
	}
	return m
}()

// CDRFieldNamed finds a column by its snake_case name.
func CDRFieldNamed(name string) (CDRField, bool) {
	f, ok := cdrByName[name]
	return f, ok
}

// Name returns the column's snake_case name.
func (f CDRField) Name() string { return cdrFields[f].name }

// Kind returns how the column's values are held.
func (f CDRField) Kind() ValueKind { return cdrFields[f].kind }

// cdrTextColumns is cdrTexts as a constant, for the array in CDR; a test compares them.
const cdrTextColumns = 49
