/*
 * Marks the page where the one around it does not lend it the camera; the style sheet then shows what to set.
 * Chromium says so itself. Elsewhere a refusal is all that is known, and in a frame this is its usual reason.
 */
(async () => {
  const policy = document.featurePolicy || document.permissionsPolicy;
  let lent = policy?.allowsFeature("camera") ?? true;
  if (!policy && window.self !== window.top) {
    const leave = await navigator.permissions?.query({ name: "camera" }).catch(() => null); // not known by this name
    lent = leave?.state !== "denied";
  }
  document.documentElement.toggleAttribute("data-a2-unlent-camera", !lent);
})();
