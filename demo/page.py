"""The page: its head, its tabs, and what programs may call."""

import gradio as gr
import tab_animate
import tab_map
import tab_pose
import tab_swap
import tab_try_on
import view
from handlers import Handlers
from handlers_animate import AnimateHandlers
from handlers_map import MapHandlers
from handlers_swap import SwapHandlers
from handlers_try_on import TryOnHandlers
from pieces import html
from studio import Studio
from tab_pose import EXAMPLES as EXAMPLES
from tailor import Tailor
from weights import short_name

from pgt.predictor import Predictor

TITLE = "Pose-guided person images"
SUBTITLE = "People in other poses, in motion and in other clothes, drawn by networks."
LIMITS = (
    "<p><b>Limits.</b> Trained on synthetic people alone: on a photograph expect the pose and the main "
    "colours, not the face or the fabric; unusual poses come out worse.</p>"
    "<p><b>Terms.</b> MIT. Use photos only of people who agree; uploads stay on the computer that runs this "
    "page and are deleted within an hour; results are no photographs.</p>"
)
MOST_WAITING = 256  # events: a crowd of visitors, each with a picture and what comes after it
NO_SPT = (
    "This tab draws with SPT, whose weights spt-synthetic-128 are not on this computer: put their folder "
    "where PGT_CHECKPOINTS points to, or start the demo with --spt and the folder."
)
# name of the tab -> its handlers, its layout, and what programs may call: name -> method
SPT_TABS = {
    "Edit the map": (
        MapHandlers, tab_map.lay_out, {"label_map": "api_label_map", "redraw": "api_redraw"}
    ),
    "Swap clothes": (SwapHandlers, tab_swap.lay_out, {"swap_clothes": "api_swap_clothes"}),
    "Try on": (
        TryOnHandlers, tab_try_on.lay_out,
        {"try_on_product": "api_try_on_product", "try_on_style": "api_try_on_style"},
    ),
}  # fmt: skip


def create_demo(studio: Studio, device: str) -> gr.Blocks:
    """Lay out the page and wire its events.

    Args:
        studio: what draws.
        device: what computes, in words.
    """
    handlers = Handlers(studio, device)
    with gr.Blocks(title=TITLE, delete_cache=(300, 3000), analytics_enabled=False) as demo:
        # First, so that no event of the page takes one of these names.
        gr.api(handlers.api_render_person, api_name="render_person")
        gr.api(handlers.api_generate, api_name="generate")
        gr.api(handlers.api_generate_from_photo, api_name="generate_from_photo")
        others = _spt_handlers(studio, device)
        weights = [_weights(one) for one in studio.approaches.values()]
        html(view.header(TITLE, SUBTITLE, (*weights, device)))
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            with gr.Tab("Pose transfer"):
                tab_pose.lay_out(handlers)
            with gr.Tab("Animate") as tab:
                tab_animate.lay_out(AnimateHandlers(studio, device), tab)
            for name, (_, lay_out, _) in SPT_TABS.items():
                with gr.Tab(name) as tab:
                    if name in others:
                        lay_out(others[name], tab)
                    else:
                        html(f'<p class="pgt-warning">{NO_SPT}</p>')
        html(LIMITS, elem_classes="pgt-terms")
    return demo.queue(max_size=MOST_WAITING, default_concurrency_limit=4)


def _spt_handlers(studio: Studio, device: str) -> dict[str, object]:
    """Make the handlers of SPT's tabs and open them to programs; none without its weights."""
    if studio.spt is None:
        return {}
    tailor = Tailor(studio.spt, studio.lend)
    made = {}
    for name, (make, _, endpoints) in SPT_TABS.items():
        made[name] = make(studio, tailor, device)
        for endpoint, method in endpoints.items():
            gr.api(getattr(made[name], method), api_name=endpoint)
    return made


def _weights(predictor: Predictor) -> str:
    source = str(getattr(predictor.model, "checkpoint_source", ""))
    place = source if source.startswith("the Hub") else "bundled" if "bundled" in source else "a local folder"
    return f"{short_name(predictor)} ({place}), {predictor.num_parameters / 1e6:.1f} M weights"
