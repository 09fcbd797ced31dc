// Keeps what a reader did while htmx brings what is new: what is unfolded stays so, what is marked or chosen is not
// taken away, and the button pauses it all. Without htmx there is nothing to do.
(function () {
  "use strict";
  var folds = {}, paused = false;

  function at_work() {  // marking text, choosing rows, filling in a form
    var selection = document.getSelection(), live = document.getElementById("live"), focused = document.activeElement;
    return (selection && !selection.isCollapsed) || (live && live.querySelector("input:checked")) ||
      (live && live.contains(focused) && /^(INPUT|SELECT|TEXTAREA)$/.test(focused.tagName));
  }

  function each_fold(action) {
    document.querySelectorAll("#live details[id]").forEach(action);
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (paused || document.hidden || at_work()) { event.preventDefault(); }
  });
  document.addEventListener("htmx:beforeSwap", function () {
    each_fold(function (one) { folds[one.id] = one.open; });
  });
  document.addEventListener("htmx:afterSwap", function () {
    each_fold(function (one) { if (one.id in folds) { one.open = folds[one.id]; } });
  });

  var button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  function say() {
    button.textContent = paused ? "Go on" : "Pause";
    button.setAttribute("aria-label", paused ? "Go on showing what is new" : "Pause showing what is new");
  }
  button.addEventListener("click", function () { paused = !paused; say(); });
  say();
  document.querySelector(".who").appendChild(button);
}());
