/*
 * Texts (SIP MESSAGE, RFC 3428) that are neither lost nor left in doubt.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * In: Asterisk accepts a MESSAGE (202) before anybody has it, and takes 1,024 octets at most. Here it is accepted once it
 * stands on the disk, in <spool>/texts/<id>.json; the engine reads it there, now or when it is back. It is taken from
 * endpoints with "message_context = switchhook-texts" only; all others are Asterisk's own business.
 *
 * Out: the action SwitchhookText of the manager sends one and its event SwitchhookTextAnswer tells what the other side
 * said to it. Asterisk's own ways tell that it was queued.
 */

/*** MODULEINFO
	<depend>pjproject</depend>
	<depend>res_pjsip</depend>
	<support_level>extended</support_level>
 ***/

#include "asterisk.h"

#include <pjsip.h>
#include <pjsip_ua.h>

#include <fcntl.h>
#include <unistd.h>

#include "asterisk/json.h"
#include "asterisk/manager.h"
#include "asterisk/module.h"
#include "asterisk/paths.h"
#include "asterisk/res_pjsip.h"
#include "asterisk/strings.h"
#include "asterisk/taskprocessor.h"
#include "asterisk/utils.h"

#define CONTEXT "switchhook-texts"
#define LONGEST_BODY 16000 /* octets; more than any text of ten parts has */
#define LONGEST_NAME 128
#define MOST_PIECES 64

static const pj_str_t message_method = { "MESSAGE", 7 };
static struct ast_taskprocessor *serializer;

/* -- in ------------------------------------------------------------------------------------------------------------- */

/*! A number or name as it stands in a URI; nothing where it has anything that is not printable ASCII. */
static int copy_user(char *to, size_t size, const pj_str_t *user)
{
	pj_ssize_t at;

	if (user->slen <= 0 || user->slen >= (pj_ssize_t) size) {
		return -1;
	}
	for (at = 0; at < user->slen; at++) {
		if (user->ptr[at] <= ' ' || user->ptr[at] > '~') {
			return -1;
		}
	}
	ast_copy_pj_str(to, user, size);
	return 0;
}

/*! The same for a request that is repeated, other for every other one (RFC 3261, section 8.2.2.2). */
static void name_text(char *id, const pjsip_rx_data *rdata, const char *endpoint)
{
	char whole[1024];

	snprintf(whole, sizeof(whole), "%s|%.*s|%.*s|%d", endpoint,
		(int) rdata->msg_info.cid->id.slen, rdata->msg_info.cid->id.ptr,
		(int) rdata->msg_info.from->tag.slen, rdata->msg_info.from->tag.ptr, (int) rdata->msg_info.cseq->cseq);
	ast_sha1_hash(id, whole);
}

static void content_type_of(char *text, size_t size, const pjsip_media_type *media)
{
	static const pj_str_t charset = { "charset", 7 };
	const pjsip_param *param = pjsip_param_find(&media->param, &charset);
	int used = snprintf(text, size, "%.*s/%.*s", (int) media->type.slen, media->type.ptr,
		(int) media->subtype.slen, media->subtype.ptr);

	if (param && used > 0 && (size_t) used < size) {
		snprintf(text + used, size - used, ";charset=%.*s", (int) param->value.slen, param->value.ptr);
	}
}

/*! Whole and on the disk before it has its name. */
static int write_whole(const char *folder, const char *id, const char *text)
{
	char draft[PATH_MAX + 64], final[PATH_MAX + 64];
	size_t length = strlen(text);
	int file, directory, done;

	snprintf(draft, sizeof(draft), "%s/.%s", folder, id);
	snprintf(final, sizeof(final), "%s/%s.json", folder, id);
	if ((file = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600)) < 0) {
		return -1;
	}
	done = write(file, text, length) == (ssize_t) length && !fsync(file);
	close(file);
	if (!done || rename(draft, final)) {
		unlink(draft);
		return -1;
	}
	if ((directory = open(folder, O_RDONLY | O_DIRECTORY)) >= 0) {
		fsync(directory);
		close(directory);
	}
	return 0;
}

static int spool(const char *id, struct ast_json *text)
{
	char folder[PATH_MAX];
	char *dumped = text ? ast_json_dump_string(text) : NULL;
	int failed = -1;

	if (dumped) {
		snprintf(folder, sizeof(folder), "%s/texts", ast_config_AST_SPOOL_DIR);
		failed = write_whole(folder, id, dumped);
		ast_json_free(dumped);
	}
	if (failed) {
		ast_log(LOG_ERROR, "A text could not be kept (%s): its sender is asked to try again.\n", strerror(errno));
	}
	return failed;
}

/*! Asterisk's JSON takes valid UTF-8 only, and a text may be anything: it is kept in base 64. */
static struct ast_json *describe(const char *id, const char *endpoint, pjsip_rx_data *rdata)
{
	pjsip_msg_body *body = rdata->msg_info.msg->body;
	char from[LONGEST_NAME], to[LONGEST_NAME], type[LONGEST_NAME], address[PJ_INET6_ADDRSTRLEN + 10];
	struct timeval now = ast_tvnow();
	struct ast_json *text;
	char *encoded;
	size_t length = body ? body->len : 0;

	if (copy_user(from, sizeof(from), ast_sip_pjsip_uri_get_username(rdata->msg_info.from->uri))
		|| copy_user(to, sizeof(to), ast_sip_pjsip_uri_get_username(rdata->msg_info.msg->line.req.uri))
		|| !(encoded = ast_malloc(length * 4 / 3 + 8))) {
		return NULL;
	}
	encoded[0] = '\0';
	if (length) {
		content_type_of(type, sizeof(type), &body->content_type);
		ast_base64encode(encoded, body->data, length, length * 4 / 3 + 8);
	} else {
		ast_copy_string(type, "text/plain", sizeof(type));
	}
	pj_sockaddr_print(&rdata->pkt_info.src_addr, address, sizeof(address), 3);
	text = ast_json_pack("{s: s, s: s, s: s, s: s, s: s, s: s, s: s, s: I}",
		"id", id, "endpoint", endpoint, "from", from, "to", to, "content_type", AST_JSON_UTF8_VALIDATE(type),
		"address", address, "body", encoded,
		"at_us", (ast_json_int_t) now.tv_sec * 1000000 + now.tv_usec);
	ast_free(encoded);
	return text;
}

static int keep(const char *endpoint, pjsip_rx_data *rdata)
{
	char id[41];
	struct ast_json *text;
	int failed;

	if (rdata->msg_info.msg->body && rdata->msg_info.msg->body->len > LONGEST_BODY) {
		return PJSIP_SC_REQUEST_ENTITY_TOO_LARGE;
	}
	name_text(id, rdata, endpoint);
	if (!(text = describe(id, endpoint, rdata))) {
		return PJSIP_SC_BAD_REQUEST;
	}
	failed = spool(id, text);
	ast_json_unref(text);
	if (failed) {
		return PJSIP_SC_SERVICE_UNAVAILABLE;
	}
	manager_event(EVENT_FLAG_SYSTEM, "SwitchhookTextCame", "Id: %s\r\n", id);
	return PJSIP_SC_ACCEPTED;
}

static pj_bool_t text_on_rx_request(pjsip_rx_data *rdata)
{
	struct ast_sip_endpoint *endpoint;
	pjsip_tx_data *answer;

	if (pj_stricmp(&rdata->msg_info.msg->line.req.method.name, &message_method)
		|| !(endpoint = ast_pjsip_rdata_get_endpoint(rdata))) {
		return PJ_FALSE;
	}
	if (!endpoint->message_context || strcmp(endpoint->message_context, CONTEXT)
		|| !ast_sip_is_allowed_uri(rdata->msg_info.msg->line.req.uri)
		|| !ast_sip_is_allowed_uri(rdata->msg_info.from->uri)) {
		ao2_ref(endpoint, -1);
		return PJ_FALSE;
	}
	if (!ast_sip_create_response(rdata, keep(ast_sorcery_object_get_id(endpoint), rdata), NULL, &answer)) {
		ast_sip_send_stateful_response(rdata, answer, endpoint);
	}
	ao2_ref(endpoint, -1);
	return PJ_TRUE;
}

/*! After those that find the endpoint and check who it is, before Asterisk's own way with messages. */
static pjsip_module text_module = {
	.name = { "Switchhook texts", 16 },
	.id = -1,
	.priority = PJSIP_MOD_PRIORITY_APPLICATION - 1,
	.on_rx_request = text_on_rx_request,
};

/* -- out ------------------------------------------------------------------------------------------------------------ */

struct text {
	char *id;
	char *endpoint;
	char *uri;
	char *from;
	char *type;
	char *body;
};

static void text_destroy(void *object)
{
	struct text *text = object;

	ast_free(text->id);
	ast_free(text->endpoint);
	ast_free(text->uri);
	ast_free(text->from);
	ast_free(text->type);
	ast_free(text->body);
}

/*! ``heard`` tells whether the other side said so itself. */
static void tell(const struct text *text, int status, int heard, const char *reason, int retry_after)
{
	char clean[LONGEST_NAME];
	char *at;

	ast_copy_string(clean, reason, sizeof(clean));
	for (at = clean; *at; at++) {
		*at = *at < ' ' || *at > '~' ? '?' : *at; /* the manager's fields are lines of ASCII */
	}
	manager_event(EVENT_FLAG_SYSTEM, "SwitchhookTextAnswer",
		"Id: %s\r\nStatus: %d\r\nHeard: %s\r\nReason: %s\r\nRetryAfter: %d\r\n",
		text->id, status, heard ? "yes" : "no", clean, retry_after);
}

static void text_answered(void *token, pjsip_event *event)
{
	struct text *text = token;
	char reason[LONGEST_NAME] = "";
	pjsip_retry_after_hdr *later;
	pjsip_msg *answer;

	if (event->body.tsx_state.type == PJSIP_EVENT_RX_MSG) {
		answer = event->body.tsx_state.src.rdata->msg_info.msg;
		ast_copy_pj_str(reason, &answer->line.status.reason, sizeof(reason));
		later = pjsip_msg_find_hdr(answer, PJSIP_H_RETRY_AFTER, NULL);
		tell(text, answer->line.status.code, 1, reason, later ? later->ivalue : 0);
	} else if (event->body.tsx_state.type == PJSIP_EVENT_TIMER) {
		tell(text, PJSIP_SC_REQUEST_TIMEOUT, 0, "No answer", 0);
	} else {
		tell(text, PJSIP_SC_SERVICE_UNAVAILABLE, 0, "No way there", 0);
	}
	ao2_ref(text, -1);
}

static void say_it_is_utf8(pjsip_tx_data *request)
{
	pjsip_param *charset = PJ_POOL_ALLOC_T(request->pool, pjsip_param);

	charset->name = pj_str("charset");
	charset->value = pj_str("UTF-8");
	pj_list_push_back(&request->msg->body->content_type.param, charset);
}

/*! Our own id is the Call-ID: a report of the other side can name it. */
static int fill(pjsip_tx_data *request, const struct text *text)
{
	struct ast_sip_body body = { .type = "text", .subtype = "plain", .body_text = text->body };
	pjsip_cid_hdr *call_id = PJSIP_MSG_CID_HDR(request->msg);
	pjsip_hdr *contact = pjsip_msg_find_hdr(request->msg, PJSIP_H_CONTACT, NULL);
	char *subtype = strchr(text->type, '/');

	if (contact) {
		pj_list_erase(contact); /* RFC 3428, section 4 */
	}
	if (subtype) {
		body.type = ast_strndup(text->type, subtype - text->type);
		body.subtype = subtype + 1;
	}
	pj_strdup2_with_null(request->pool, &call_id->id, text->id);
	ast_sip_update_from(request, text->from);
	ast_sip_add_body(request, &body);
	if (subtype) {
		ast_free((char *) body.type);
	}
	if (!request->msg->body) {
		return -1;
	}
	say_it_is_utf8(request);
	return 0;
}

static int send_text(void *data)
{
	struct text *text = data;
	struct ast_sip_endpoint *endpoint
		= ast_sorcery_retrieve_by_id(ast_sip_get_sorcery(), "endpoint", text->endpoint);
	pjsip_tx_data *request = NULL;

	if (!endpoint || ast_sip_create_request("MESSAGE", NULL, endpoint, text->uri, NULL, &request)) {
		tell(text, PJSIP_SC_SERVICE_UNAVAILABLE, 0, endpoint ? "No way there" : "No such trunk", 0);
		ao2_ref(text, -1);
	} else if (fill(request, text)) {
		pjsip_tx_data_dec_ref(request);
		tell(text, PJSIP_SC_INTERNAL_SERVER_ERROR, 0, "No such text", 0);
		ao2_ref(text, -1);
	} else if (ast_sip_send_request(request, NULL, endpoint, text, text_answered)) {
		tell(text, PJSIP_SC_SERVICE_UNAVAILABLE, 0, "No way there", 0);
		ao2_ref(text, -1);
	}
	ao2_cleanup(endpoint);
	return 0;
}

/*! A line of the manager has 1,024 characters at most, so the text comes in pieces: Body0, Body1 and so on. */
static char *decoded(const struct message *action)
{
	struct ast_str *base64 = ast_str_create(1024);
	char name[16], *body = NULL;
	const char *piece;
	int at, length;

	for (at = 0; base64 && at < MOST_PIECES; at++) {
		snprintf(name, sizeof(name), "Body%d", at);
		if (ast_strlen_zero(piece = astman_get_header(action, name))) {
			break;
		}
		ast_str_append(&base64, 0, "%s", piece);
	}
	if (base64 && (body = ast_malloc(ast_str_strlen(base64) + 1))) {
		length = ast_base64decode((unsigned char *) body, ast_str_buffer(base64), ast_str_strlen(base64));
		body[length] = '\0';
	}
	ast_free(base64);
	return body;
}

static int send_action(struct mansession *session, const struct message *action)
{
	struct text *text = ao2_alloc_options(sizeof(*text), text_destroy, AO2_ALLOC_OPT_LOCK_NOLOCK);

	if (!text) {
		astman_send_error(session, action, "Out of memory");
		return 0;
	}
	text->id = ast_strdup(astman_get_header(action, "Id"));
	text->endpoint = ast_strdup(astman_get_header(action, "Endpoint"));
	text->uri = ast_strdup(astman_get_header(action, "Uri"));
	text->from = ast_strdup(astman_get_header(action, "From"));
	text->type = ast_strdup(S_OR(astman_get_header(action, "ContentType"), "text/plain"));
	text->body = decoded(action);
	if (ast_strlen_zero(text->id) || ast_strlen_zero(text->endpoint) || ast_strlen_zero(text->uri)
		|| ast_strlen_zero(text->from) || ast_strlen_zero(text->type) || !text->body) {
		ao2_ref(text, -1);
		astman_send_error(session, action, "Id, Endpoint, Uri, From and Body0 are needed");
		return 0;
	}
	if (ast_sip_push_task(serializer, send_text, text)) {
		ao2_ref(text, -1);
		astman_send_error(session, action, "SIP takes nothing now");
		return 0;
	}
	astman_send_ack(session, action, "It is being sent");
	return 0;
}

static int load_module(void)
{
	if (!(serializer = ast_sip_create_serializer("pjsip/switchhook-texts"))) {
		return AST_MODULE_LOAD_DECLINE;
	}
	if (ast_sip_register_service(&text_module)) {
		ast_taskprocessor_unreference(serializer);
		return AST_MODULE_LOAD_DECLINE;
	}
	ast_manager_register("SwitchhookText", EVENT_FLAG_CALL, send_action, "Send a text and tell what came of it");
	return AST_MODULE_LOAD_SUCCESS;
}

/*! Never while Asterisk runs: a text may be on its way. */
static int unload_module(void)
{
	return -1;
}

AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "Texts, kept before they are accepted",
	.support_level = AST_MODULE_SUPPORT_EXTENDED,
	.load = load_module,
	.unload = unload_module,
	.load_pri = AST_MODPRI_APP_DEPEND,
	.requires = "res_pjsip",
);
