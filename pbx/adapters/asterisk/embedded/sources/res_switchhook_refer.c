/*
 * Takes the wish for no notifications out of a transfer request, before Asterisk reads it, and declines one on a
 * channel with the variable SWITCHHOOK_NO_TRANSFER: nobody who could decide about it would hear of it.
 *
 * Copyright (C) 2026 the makers of Switchhook. This file is linked into Asterisk and may be distributed and changed
 * under the terms of the GNU General Public License, version 2.
 *
 * Asterisk 22.10.1 crashes on a REFER with "Refer-Sub: false" (RFC 4488) on a channel whose transfers ARI decides
 * (issue 2021 of its tracker): any phone in a call could end all calls. The header is a wish that may be ignored.
 */

/*** MODULEINFO
	<depend>pjproject</depend>
	<depend>res_pjsip</depend>
	<depend>res_pjsip_session</depend>
	<support_level>extended</support_level>
 ***/

#include "asterisk.h"

#include <pjsip.h>
#include <pjsip_ua.h>

#include "asterisk/channel.h"
#include "asterisk/module.h"
#include "asterisk/pbx.h"
#include "asterisk/res_pjsip.h"
#include "asterisk/res_pjsip_session.h"

static int refer_incoming_request(struct ast_sip_session *session, pjsip_rx_data *rdata)
{
	static const pj_str_t name = { "Refer-Sub", 9 };
	pjsip_hdr *header;
	int declined = 0;

	if (session->channel) {
		ast_channel_lock(session->channel);
		declined = pbx_builtin_getvar_helper(session->channel, "SWITCHHOOK_NO_TRANSFER") != NULL;
		ast_channel_unlock(session->channel);
	}
	if (declined) {
		pjsip_dlg_respond(session->inv_session->dlg, rdata, PJSIP_SC_DECLINE, NULL, NULL, NULL);
		return 1;
	}
	while ((header = pjsip_msg_find_hdr_by_name(rdata->msg_info.msg, &name, NULL))) {
		pj_list_erase(header);
	}
	return 0;
}

static struct ast_sip_session_supplement refer_supplement = {
	.method = "REFER",
	.priority = AST_SIP_SUPPLEMENT_PRIORITY_FIRST,
	.incoming_request = refer_incoming_request,
};

static int load_module(void)
{
	ast_sip_session_register_supplement(&refer_supplement);
	return AST_MODULE_LOAD_SUCCESS;
}

/*! Never while Asterisk runs: a call that begins meanwhile would keep pointers into what is gone. */
static int unload_module(void)
{
	return -1;
}

AST_MODULE_INFO(ASTERISK_GPL_KEY, AST_MODFLAG_LOAD_ORDER, "Transfers that ARI decides, without a crash",
	.support_level = AST_MODULE_SUPPORT_EXTENDED,
	.load = load_module,
	.unload = unload_module,
	.load_pri = AST_MODPRI_APP_DEPEND,
	.requires = "res_pjsip,res_pjsip_session",
);
