"""Owns the list of defects that can be planted in the emulator, one at a time, to see that the judges find it.

A defect is a mistake that the emulator would make without knowing; a fault (see faults.py) is a mistake or misfortune of the
providers that it plays on purpose.
"""

DEFECTS = {
    "wechat_answer_without_last_newline": "an answer is signed without the newline at the end",
    "wechat_answer_signed_before_its_last_change": "the body is serialised again after it was signed",
    "wechat_answer_names_another_key": "an answer is signed with a key that its serial does not name",
    "wechat_answer_dated_an_hour_ago": "the time in an answer's header is an hour old",
    "wechat_signature_not_looked_at": "a request with a stranger's signature is served",
    "wechat_number_used_for_other_amounts": "a number is accepted again with another amount",
    "wechat_closed_order_can_be_paid": "a closed order takes money",
    "wechat_paid_order_can_be_closed": "a paid order is closed, and its money forgotten",
    "wechat_expired_order_can_be_paid": "an order takes money after time_expire",
    "wechat_jsapi_without_payer": "a JSAPI order needs no openid",
    "wechat_payers_code_good_twice": "a code of OAuth tells who the payer is a second time",
    "wechat_page_signature_not_looked_at": "WeChat's browser pays what the merchant has not signed",
    "wechat_refund_above_what_was_paid": "refunds together may exceed the payment",
    "wechat_refund_repeated_refunds_again": "the same out_refund_no refunds a second time",
    "wechat_callback_forgets_associated_data": "a callback's resource is sealed without its associated data",
    "wechat_callback_signs_the_plain_resource": "a callback's signature is over what lies inside",
    "wechat_statement_in_fen": "the statement has fen where yuan belong",
    "wechat_statement_by_utc_days": "the statement's day is a day of UTC",
    "wechat_statement_without_backticks": "the values stand bare",
    "wechat_statement_sum_off_by_one": "the summary line is one fen off",
    "wechat_statement_hash_of_the_gzip": "the hash is taken over the compressed file",
    "alipay_answer_signed_in_another_form": "an answer is signed before its slashes are escaped",
    "alipay_signature_not_looked_at": "a request with a stranger's signature is served",
    "alipay_callback_signs_sign_type": "a callback's signature includes sign_type",
    "alipay_code_known_before_the_scan": "an order is known before anybody scanned it",
    "alipay_unscanned_close_kills_the_code": "closing an order that nobody scanned makes its code useless",
    "alipay_page_forgets_the_way_back": "after paying on the wap page the browser stays there",
    "alipay_partial_refund_closes": "a partial refund closes the trade",
    "alipay_refund_repeated_moves_money": "the same out_request_no refunds a second time",
    "alipay_statement_in_utf8": "the statement is in UTF-8",
    "alipay_statement_refunds_positive": "refund rows have no minus",
    "alipay_statement_counts_refunds_as_trades": "the footer counts refunds as trades",
    "callbacks_not_repeated": "a callback that nobody acknowledged is not sent again",
    "totals_forget_console_refunds": "the day's totals leave out what was refunded in the console",
}


class Defects:
    """The defect that this emulator was started with, if any."""

    def __init__(self, name=None):
        if name is not None and name not in DEFECTS:
            raise ValueError(f"no defect is called {name}")
        self._name = name

    def has(self, name):
        if name not in DEFECTS:
            raise ValueError(f"no defect is called {name}")
        return self._name == name
