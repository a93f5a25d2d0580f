/*
 * On a narrow screen Streamlit's navigation is a drawer that stays open over the page that was chosen in it.
 * Needless when it closes by itself.
 */
(() => {
  if (window.a2Menu) return;
  window.a2Menu = true;
  const NARROW = "(max-width: 768px)";
  document.addEventListener("click", ({ target }) => {
    if (!matchMedia(NARROW).matches || !target.closest?.("[data-testid='stSidebarNavLink']")) return;
    document.querySelector("[data-testid='stSidebarCollapseButton'] button")?.click();
  });
})();
